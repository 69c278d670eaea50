// Which browser this is, from what it says of itself; and whether that lies below the floor. Pure.

export const FLOOR = { Chromium: 86, Safari: 15 };

/** Return {name, version, below}; an unknown browser has no version and is not judged by it. */
export function readBrowser(agent) {
  const chromium = /(?:Chrome|Chromium|CriOS)\/(\d+)/.exec(agent);
  const apple = /(?:iPhone|iPad|Macintosh)/.test(agent);
  // On an iPhone every browser is Safari inside, whatever it calls itself: the system's version tells.
  const system = /OS (\d+)[_.]\d+.* like Mac OS X/.exec(agent);
  if (system) return judge("Safari", Number(system[1]));
  if (chromium) return judge("Chromium", Number(chromium[1]));
  const safari = apple && /Version\/(\d+)/.exec(agent);
  if (safari) return judge("Safari", Number(safari[1]));
  const firefox = /Firefox\/(\d+)/.exec(agent);
  return { name: firefox ? "Firefox" : "", version: firefox ? Number(firefox[1]) : 0, below: false };
}

function judge(name, version) {
  return { name, version, below: version < FLOOR[name] };
}
