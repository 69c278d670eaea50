// Reports that were not acknowledged yet, kept on the phone with their photos until they are.

const NAME = "mapsvc-report";
const STORE = "unsent";
const KEPT_FOR_MS = 7 * 24 * 3600 * 1000;

let opened = null;

/** Where the browser keeps nothing (a private window, an old web view) everything here answers with nothing. */
function open() {
  opened ??= new Promise((done) => {
    try {
      const asked = indexedDB.open(NAME, 1);
      asked.onupgradeneeded = () => asked.result.createObjectStore(STORE, { keyPath: "uuid" });
      asked.onsuccess = () => done(asked.result);
      asked.onerror = () => done(null);
      asked.onblocked = () => done(null);
    } catch {
      done(null);
    }
  });
  return opened;
}

async function run(mode, ask) {
  const database = await open();
  if (!database) return null;
  return new Promise((done) => {
    try {
      const transaction = database.transaction(STORE, mode);
      const asked = ask(transaction.objectStore(STORE));
      transaction.oncomplete = () => done(asked.result ?? true);
      transaction.onerror = () => done(null);
      transaction.onabort = () => done(null);
    } catch {
      done(null);
    }
  });
}

/** Keep a report; true when the phone holds it now. */
export const keep = async (report) => (await run("readwrite", (store) => store.put(report))) !== null;

export const drop = (uuid) => run("readwrite", (store) => store.delete(uuid));

/** Return what is kept, the oldest first; what nobody sent for a week is let go of. */
export async function listKept() {
  const found = await run("readonly", (store) => store.getAll());
  if (!Array.isArray(found)) return [];
  const old = found.filter(({ at }) => Date.now() - at > KEPT_FOR_MS);
  await Promise.all(old.map(({ uuid }) => drop(uuid)));
  return found.filter((report) => !old.includes(report)).sort((one, other) => one.at - other.at);
}
