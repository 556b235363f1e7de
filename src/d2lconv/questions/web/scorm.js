/** A package for a learning platform: a chapter's questions, whose score the platform is told as SCORM 1.2 says. */
import { fill } from "./fill.js";
import { make } from "./make.js";
import { judging } from "./judging.js";
import { start } from "./start.js";

const MOST_FRAMES = 500; // around this page
const BEGAN = Date.now();

/** Find what the platform has put into a frame around this page, of which some may be of another site. */
function apiAround(frame) {
  for (let left = MOST_FRAMES; frame && left > 0; left--) {
    try {
      if (frame.API) return frame.API;
    } catch {
      // another site's
    }
    if (frame.parent === frame) return null;
    frame = frame.parent;
  }
  return null;
}

let api = apiAround(window) ?? apiAround(window.opener) ?? apiAround(window.top.opener);
if (api && String(api.LMSInitialize("")) !== "true") api = null;

const places = [...document.querySelectorAll(".d2l-ask")];
const names = places.map((place) => place.dataset.ask);
const score = document.querySelector(".d2l-score");

// ---- of each question a letter: not answered, missed so far, right at a later answer, right at the first ----

const [NONE, MISSED, LATER, FIRST] = "-mlf";

function resumed() {
  const [version, letters = ""] = (api?.LMSGetValue("cmi.suspend_data") ?? "").split(":");
  const fits = version === "1" && letters.length === names.length && /^[-mlf]*$/.test(letters);
  return fits ? [...letters] : names.map(() => NONE);
}

const states = resumed();
const countOf = (...wanted) => states.filter((state) => wanted.includes(state)).length;

/** Tell the platform some values, and keep them there; false if it refuses one. */
function tell(values) {
  const told = Object.entries(values).map(([element, value]) => api.LMSSetValue(`cmi.${element}`, String(value)));
  return [...told, api.LMSCommit("")].every((one) => String(one) === "true");
}

function showScore(isTold) {
  const said = [fill(WORDS.scored, { n: countOf(FIRST), total: names.length, right: countOf(FIRST, LATER) })];
  if (!api) said.push(WORDS.noPlatform);
  else if (!isTold) said.push(WORDS.notTold);
  score.replaceChildren(...said.map((text) => make("span", {}, `${text} `)));
}

function report() {
  const isDone = countOf(NONE, MISSED) === 0;
  return tell({
    suspend_data: `1:${states.join("")}`,
    "core.score.min": 0,
    "core.score.max": 100,
    "core.score.raw": Math.round((100 * countOf(FIRST)) / names.length),
    "core.lesson_status": isDone ? "completed" : "incomplete",
  });
}

function keep(name, isRight) {
  const n = names.indexOf(name);
  const after = { [NONE]: isRight ? FIRST : MISSED, [MISSED]: isRight ? LATER : MISSED };
  states[n] = after[states[n]] ?? states[n];
  showScore(!api || report());
}

/** Write milliseconds as hours, minutes and seconds. */
function written(time) {
  const two = (value) => String(Math.floor(value)).padStart(2, "0");
  const seconds = time / 1000;
  return `${two(Math.min(seconds / 3600, 9999))}:${two((seconds / 60) % 60)}:${two(seconds % 60)}`;
}

function leave() {
  if (!api) return;
  tell({ "core.session_time": written(Date.now() - BEGAN), "core.exit": "suspend" });
  api.LMSFinish("");
  api = null;
}

places.forEach((place, n) => place.classList.toggle("d2l-known", [LATER, FIRST].includes(states[n])));
start(places, keep, judging);
const isNew = api && ["not attempted", ""].includes(api.LMSGetValue("cmi.core.lesson_status"));
showScore(!isNew || report());
addEventListener("pagehide", leave);
