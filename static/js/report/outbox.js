// The list of reports that wait on this phone: sent when there is a network or when asked, or thrown away.

import { say } from "../words.js";
import { deliver } from "./deliver.js";
import { drop, listKept } from "./keep.js";

const codeOf = (location) => location.replace(/\?.*/, "").split("/").pop();

export class Outbox {
  constructor(panel) {
    this.panel = panel;
    this.list = panel.querySelector("ul");
    this.reports = [];
    this.busy = false;
  }

  async begin() {
    this.reports = await listKept();
    this.show();
    if (navigator.onLine) this.sendAll();
    window.addEventListener("online", () => this.sendAll());
  }

  async sendAll() {
    if (this.busy) return;
    this.busy = true;
    for (const report of this.reports.filter(({ state }) => state !== "sent" && state !== "refused")) {
      report.state = "sending";
      this.show();
      const answer = await deliver(report);
      if (answer.location) {
        Object.assign(report, { state: "sent", location: answer.location });
        await drop(report.uuid);
      } else if (answer.lost || answer.waits) report.state = "waiting";
      else Object.assign(report, { state: "refused", why: answer.words });
      this.show();
    }
    this.busy = false;
  }

  show() {
    this.panel.hidden = !this.reports.length;
    this.list.replaceChildren(...this.reports.map((report) => this.line(report)));
  }

  line(report) {
    const item = document.createElement("li");
    const text = document.createElement("p");
    const when = new Date(report.at).toLocaleString(document.documentElement.lang, {
      month: "numeric",
      day: "numeric",
      hour: "2-digit",
      minute: "2-digit",
    });
    const code = report.location ? codeOf(report.location) : "";
    text.textContent = say(`outbox_${report.state ?? "waiting"}`, { when, what: report.what, code, why: report.why });
    item.append(text);
    if (report.location) item.append(this.link(report));
    else if (report.state !== "sending") {
      if (report.state !== "refused") item.append(this.button("outbox_send", () => this.sendAll()));
      item.append(this.button("outbox_drop", () => this.remove(report)));
    }
    return item;
  }

  link({ location }) {
    const link = document.createElement("a");
    link.href = location;
    link.textContent = codeOf(location);
    return link;
  }

  button(key, act) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "secondary";
    button.textContent = say(key);
    button.addEventListener("click", act);
    return button;
  }

  async remove(report) {
    await drop(report.uuid);
    this.reports = this.reports.filter((one) => one !== report);
    this.show();
  }
}
