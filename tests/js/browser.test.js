import assert from "node:assert/strict";
import { test } from "node:test";
import { readBrowser } from "../../static/js/browser.js";

const ANDROID = "Mozilla/5.0 (Linux; Android 12; P40) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 ";

test("WeChat's own view is judged by its Chromium", () => {
  const wechat = (version) => readBrowser(`${ANDROID}Chrome/${version}.0.4240.99 XWEB/4313 MicroMessenger/8.0.25`);
  assert.deepEqual(wechat(86), { name: "Chromium", version: 86, below: false });
  assert.equal(wechat(85).below, true);
});

test("on an iPhone the system tells, whatever the browser is called", () => {
  const iphone = (os, more) =>
    readBrowser(`Mozilla/5.0 (iPhone; CPU iPhone OS ${os} like Mac OS X) AppleWebKit/605.1.15 ${more}`);
  assert.deepEqual(iphone("14_8", "Version/14.1.2 Mobile/15E148 Safari/604.1"), {
    name: "Safari",
    version: 14,
    below: true,
  });
  assert.equal(iphone("15_0", "MicroMessenger/8.0.25").below, false);
  assert.equal(iphone("16_3", "CriOS/80.0.3987.95").below, false);
});

test("Safari on a desk, Firefox, and what nobody knows", () => {
  const mac =
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/14.1 Safari/605.1.15";
  assert.deepEqual(readBrowser(mac), { name: "Safari", version: 14, below: true });
  assert.equal(readBrowser("Mozilla/5.0 (X11; Linux x86_64; rv:109.0) Gecko/20100101 Firefox/115.0").name, "Firefox");
  assert.deepEqual(readBrowser(""), { name: "", version: 0, below: false });
});
