/** Scripts that are loaded when they are wanted. */
import { make } from "./make.js";

const SCRIPT = document.currentScript?.src; // tests run scripts without one

/** Load a script from an address. */
export function load(src) {
  const script = make("script", { src });
  return new Promise((resolve, reject) => {
    script.addEventListener("load", resolve);
    script.addEventListener("error", reject);
    document.head.append(script);
  });
}

let loading = null;

/** Promise what judges answers, which lies beside this script and is loaded when it is first wanted. */
export function judging() {
  const { use } = document.querySelector("[data-use]")?.dataset ?? {};
  loading ??= load(new URL(use ? `judge-${use}.js` : "judge.js", SCRIPT)).then(() => self.d2lJudge);
  loading.catch(() => (loading = null));
  return loading;
}

document.addEventListener("focusin", ({ target }) => target.closest(".d2l-answer") && judging());
