/** Scripts that are loaded when they are wanted. */
import { make } from "./dom.js";

const SCRIPT = document.currentScript?.src; // tests run scripts without one

/** Load a script that lies beside this one. */
export function load(name) {
  const script = make("script", { src: new URL(name, SCRIPT) });
  return new Promise((resolve, reject) => {
    script.addEventListener("load", resolve);
    script.addEventListener("error", reject);
    document.head.append(script);
  });
}

let loading = null;

/** Promise what judges answers, which is loaded when it is first wanted. */
export function judging() {
  loading ??= load("judge.js").then(() => self.d2lJudge);
  loading.catch(() => (loading = null));
  return loading;
}

document.addEventListener("focusin", ({ target }) => target.closest(".d2l-answer") && judging());
