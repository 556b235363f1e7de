/*
 * The search: ranks the sections, glossary entries and names that `search-index.js` holds, and shows where the words
 * stand. What teaches a word comes first: an entry or section of that name, before sections that only use it.
 */
(() => {
  "use strict";
  const [GLOSSARY, CHAPTER, SECTION, EXERCISE, NAME] = [0, 1, 2, 3, 4];
  const BEFORE = { [GLOSSARY]: 1.05, [CHAPTER]: 1.1, [SECTION]: 1, [EXERCISE]: 0.6, [NAME]: 0.8 };
  const MOST = 30;
  const EXCERPT = document.documentElement.lang.startsWith("zh") ? 110 : 220;

  const say = (text) => window.d2lWords?.[text] ?? text;

  /** Spellings of one word become equal: 1×1 and 1x1, Kernel and kernels, ReLU and relu. */
  const plain = (text) =>
    text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase()
      .replace(/(\d)\s*[×x]\s*(?=\d)/g, "$1x").replace(/isation\b/g, "ization").replace(/iser\b/g, "izer");
  const WORD = "\\p{Script=Han}+|(?:(?!\\p{Script=Han})[\\p{L}\\p{N}_])+";
  /** Words; a run of Chinese characters is one, with spaces within, so that any part of it is found as a phrase. */
  const words = (text) =>
    (plain(text).match(new RegExp(WORD, "gu")) ?? []).map((word) =>
      /\p{Script=Han}/u.test(word) ? [...word].join(" ") : /[^su]s$/.test(word) && word.length > 3 ? word.slice(0, -1) : word);
  const joined = (text) => ` ${words(text).join(" ")} `;

  const entries = (window.d2lSearch ?? []).flatMap(([page, chapter, found]) =>
    found.map(([kind, anchor, title, text, names]) => ({
      kind, title, text, chapter,
      address: page + (anchor && `#${anchor}`),
      named: [joined(title.split("（")[0]), ...names.map(joined)],
      all: joined(`${title} ${text} ${names.join(" ")}`),
    })));

  /** The words of a query, of Chinese every two neighbours: one sentence says it in other words than another. */
  const pairs = (query) =>
    words(query).flatMap((word) => (/^\p{Script=Han} ./u.test(word) ? word.match(/\S (?=(\S))/g).map((one, i) => one + word[2 * i + 2]) : word));

  /** How well an entry answers: 0 if not at all. */
  function score(entry, query, every) {
    const phrase = joined(query);
    const asked = every ? words(query) : pairs(query);
    const has = (word, whole) => entry.all.includes(whole ? ` ${word} ` : ` ${word}`);
    const found = asked.filter((word) => has(word, false));
    if (!asked[0] || (every ? found.length < asked.length : !found.length)) return 0;
    const whole = asked.filter((word) => has(word, true)).length;
    let points = (10 * found.length + 5 * whole) / asked.length;
    if (entry.all.includes(phrase)) points += 5 + Math.min(entry.all.split(phrase).length - 1, 8);
    const byName = entry.named.map((name, number) => {
      const [length, most] = [phrase, name].map((one) => one.trim().split(" ").length);
      const share = length / Math.max(most, length);
      if (name === phrase) return number ? 90 : 100;
      if (name.includes(phrase)) return (name.startsWith(phrase) ? 20 : 15) + 40 * share;
      return asked.every((word) => name.includes(` ${word}`)) ? 10 + 20 * share : 0;
    });
    return (points + Math.max(...byName)) * BEFORE[entry.kind];
  }

  function search(query) {
    const rank = (every) =>
      entries.map((entry) => ({ entry, points: score(entry, query, every) }))
        .filter(({ points }) => points > 0).sort((a, b) => b.points - a.points).map(({ entry }) => entry);
    const found = rank(true);
    const copied = joined(query).replaceAll(" ", ""); // of a Chinese text, it may begin or end within a Latin word
    if (!found.length || /\p{Script=Han}/u.test(copied)) {
      found.push(...entries.filter((one) => !found.includes(one) && one.all.replaceAll(" ", "").includes(copied)));
    }
    return found.length ? found : rank(false);
  }

  /** Titles that are spelled a little like the query. */
  function similar(query) {
    const letters = (text) => new Set([...plain(text)].slice(1).map((letter, i) => plain(text)[i] + letter));
    const mine = letters(query);
    const near = entries.map((entry) => {
      const theirs = letters(entry.title);
      const both = [...mine].filter((pair) => theirs.has(pair)).length;
      return { entry, share: (2 * both) / (mine.size + theirs.size || 1) };
    });
    const titles = new Map();
    for (const { entry, share } of near.sort((a, b) => b.share - a.share)) {
      if (share > 0.45 && !titles.has(entry.title)) titles.set(entry.title, entry);
    }
    return [...titles.values()].slice(0, 3);
  }

  function make(tag, attributes, ...children) {
    const element = Object.assign(document.createElement(tag), attributes);
    element.append(...children);
    return element;
  }

  /** The piece of a text around the first word that was asked for, with all such words marked. */
  function excerpt(text, query) {
    const found = words(query).some((word) => joined(text).includes(` ${word}`));
    const asked = found ? words(query) : pairs(query);
    const chinese = asked.map((word) => word.replaceAll(" ", "")).filter((word) => /\p{Script=Han}/u.test(word));
    const parts = text.match(new RegExp([...chinese, "\\p{Script=Han}", WORD, "[^\\p{L}\\p{N}_]+"].join("|"), "gu")) ?? [];
    const hit = (part) => words(part).some((word) => asked.some((one) => word.startsWith(one)));
    const first = Math.max(parts.findIndex(hit), 0);
    let start = first;
    for (let room = EXCERPT / 3; start > 0 && room > 0; ) room -= parts[--start].length;
    const line = make("p", {}, start > 0 ? "… " : "");
    let left = EXCERPT;
    for (const part of parts.slice(start)) {
      if ((left -= part.length) < 0) {
        line.append("…");
        break;
      }
      line.append(hit(part) ? make("mark", {}, part) : part);
    }
    return line;
  }

  const link = (entry) => make("a", { href: entry.address }, entry.title);

  function show(query, box) {
    const found = search(query);
    box.replaceChildren();
    if (!words(query).length) return;
    if (found.length) {
      const count = found.length === 1 ? say("1 result") : say("# results").replace("#", found.length);
      const pages = new Set(); // after the best, the first of each other page
      const isNew = (page) => pages.size < pages.add(page).size;
      const listed = found.filter((entry, i) => isNew(entry.address.split("#")[0]) || i < MOST);
      const items = listed.map((entry) => {
        const place = entry.kind === CHAPTER ? say("Page") : entry.kind === NAME ? "Python API" : entry.chapter;
        return make("li", {}, link(entry), make("span", { className: "d2l-place" }, place), excerpt(entry.text, query));
      });
      box.append(make("p", {}, count), make("ol", {}, ...items));
      return;
    }
    const near = similar(query);
    const line = make("p", {}, say("Nothing in the course has “#”. ").replace("#", () => query));
    if (near.length) {
      line.append(say("Did you mean "));
      near.forEach((entry, i) => line.append(i ? (i < near.length - 1 ? say(", ") : say(" or ")) : "", link(entry)));
      line.append(say("? "));
    }
    line.append(say("Try fewer or other words, or look through the "));
    line.append(make("a", { href: box.dataset.glossary }, say("glossary")), say(" or the "));
    line.append(make("a", { href: box.dataset.index }, say("index of names")), say("."));
    box.append(line);
  }

  const field = document.getElementById("d2l-query");
  const box = document.getElementById("d2l-results");
  field.value = new URLSearchParams(location.search).get("q") ?? "";
  show(field.value, box);
  if (!field.value) field.focus({ preventScroll: true });
  let timer;
  field.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => show(field.value, box), 120);
  });
  field.form.addEventListener("submit", (event) => {
    event.preventDefault();
    show(field.value, box);
  });
})();
