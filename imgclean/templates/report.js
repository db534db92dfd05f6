"use strict";
(() => {
  const find = (id) => document.getElementById(id);
  const data = JSON.parse(find("data").textContent);

  const make = (tag, text = "", className = "") => {
    const element = document.createElement(tag);
    element.textContent = text;
    element.className = className;
    return element;
  };

  // ---- pictures, parsed only when they are looked at ----
  const pictures = (number) => {
    const store = find(`pictures-${number}`);
    return store ? JSON.parse(store.textContent) : null;
  };

  // ---- the view: which image, which versions, where the divider is, how far zoomed ----
  const view = {
    number: 0, shown: null, left: "noisy", right: data.leader, removed: false,
    split: 50, zoom: 1, fitted: true, x: 0, y: 0,
  };
  const stage = find("stage");
  const sides = stage && ["left", "right"].map((side) => {
    const half = find(`half-${side}`);
    const [plane, whole, detail, spot] = ["plane", "whole", "detail", "spot"]
      .map((name) => half.querySelector(`.${name}`));
    return { half, plane, whole, detail, spot, tag: find(`tag-${side}`) };
  });

  const layer = (key) => view.shown.layers.find((one) => one.key === key);
  const fitting = () => Math.min(
    stage.clientWidth / view.shown.width, stage.clientHeight / view.shown.height);
  const zoomed = () => view.zoom > fitting() * 1.001;
  const perPixel = () => view.zoom * window.devicePixelRatio;

  const place = () => {
    const { width, height } = view.shown;
    const centre = (room, size, at) =>
      size <= room ? (room - size) / 2 : Math.min(0, Math.max(room - size, at));
    view.x = centre(stage.clientWidth, width * view.zoom, view.x);
    view.y = centre(stage.clientHeight, height * view.zoom, view.y);
    for (const { plane, whole, detail } of sides) {
      plane.style.transform = `translate(${view.x}px, ${view.y}px) scale(${view.zoom})`;
      plane.style.setProperty("--zoom", view.zoom);
      whole.classList.toggle("sharp", perPixel() >= 1.5 && view.shown.scale === 1);
      detail.classList.toggle("sharp", perPixel() >= 1.5);
    }
    view.fitted = !zoomed();
    stage.classList.toggle("zoomed", zoomed());
    find("zoom").textContent = `${Math.round(perPixel() * 100)} %`;
  };

  const divide = (percent) => {
    view.split = Math.min(100, Math.max(0, percent));
    sides[1].half.style.clipPath = `inset(0 0 0 ${view.split}%)`;
    find("divider").style.left = `${view.split}%`;
    const range = find("split");
    range.value = Math.round(view.split);
    range.setAttribute("aria-valuetext",
      `${range.value} % ${sides[0].tag.textContent}, the rest ${sides[1].tag.textContent}`);
  };

  const zoomTo = (zoom, x = stage.clientWidth / 2, y = stage.clientHeight / 2) => {
    if (!view.shown) return;
    const least = fitting();
    const next = Math.min(Math.max(32, 4 * least), Math.max(least, zoom));
    view.x = x - ((x - view.x) * next) / view.zoom;
    view.y = y - ((y - view.y) * next) / view.zoom;
    view.zoom = next;
    place();
  };
  const fit = () => view.shown && zoomTo(0);
  const truePixels = () => zoomTo(1 / window.devicePixelRatio);
  const toSpot = () => {
    if (!view.shown) return;
    const [left, top, width, height] = view.shown.box;
    const zoom = Math.min(stage.clientWidth / width, stage.clientHeight / height) * 0.9;
    view.zoom = Math.min(Math.max(32, 4 * fitting()), Math.max(fitting(), zoom));
    view.x = stage.clientWidth / 2 - (left + width / 2) * view.zoom;
    view.y = stage.clientHeight / 2 - (top + height / 2) * view.zoom;
    place();
  };
  const pan = (dx, dy) => {
    if (!view.shown) return;
    view.x += dx;
    view.y += dy;
    place();
  };

  const set = (image, source, alt) => {
    image.hidden = !source;
    if (source) image.src = source;
    else image.removeAttribute("src");
    image.alt = source ? alt : "";
  };

  const removal = (one) => (one.key === "clean" ? "the noise itself" : `removed by ${one.label}`);

  const dress = (side, one, removed) => {
    const { plane, whole, detail, spot, tag } = sides[side];
    const { width, height, box } = view.shown;
    const show = removed && one.removed;
    const what = show ? `${removal(one)}, × ${one.factor}` : one.label;
    const alt = `${data.groups[view.number].name}: ${what}`;
    plane.style.width = `${width}px`;
    plane.style.height = `${height}px`;
    set(whole, show ? one.removed : one.whole, alt);
    set(detail, show ? one.removed_detail : one.detail, `${alt}, detail in true pixels`);
    for (const element of [detail, spot]) {
      ["left", "top", "width", "height"].forEach((name, k) => {
        element.style[name] = `${box[k]}px`;
      });
    }
    spot.hidden = view.shown.scale === 1;
    tag.textContent = what;
  };

  const render = () => {
    if (!view.shown) return;
    dress(0, layer(view.left), false);
    dress(1, layer(view.right), view.removed);
    divide(view.split);
    const { removed, factor } = layer(view.right);
    find("removed").disabled = !removed;
    find("removed-text").textContent = factor > 1
      ? `Show what it removed, amplified ${factor} times` : "Show what it removed";
    for (const cell of find("figures").parentElement.querySelectorAll("[data-key]")) {
      cell.classList.toggle("on", cell.dataset.key === view.right);
    }
  };

  const choose = () => {
    const { layers } = view.shown;
    const keys = layers.map((one) => one.key);
    const wish = (wanted, other) => (keys.includes(wanted) ? wanted : other);
    view.left = wish(view.left, keys[0]);
    view.right = wish(view.right, keys[Math.min(1, keys.length - 1)]);
    const left = find("left");
    left.replaceChildren(...layers.map((one) => {
      const option = make("option", one.label);
      option.value = one.key;
      option.selected = one.key === view.left;
      return option;
    }));
    find("right").replaceChildren(...layers.filter((one) => one.key !== "noisy").map((one) => {
      const label = make("label", "", "pill");
      const input = make("input");
      input.type = "radio";
      input.name = "right";
      input.value = one.key;
      input.checked = one.key === view.right;
      label.append(input, make("span", one.label));
      return label;
    }));
  };

  const tell = (group) => {
    const link = (one) => {
      const anchor = make("a", one.label);
      anchor.href = one.link;
      return anchor;
    };
    const about = find("about");
    about.textContent = view.shown ? view.shown.about : "";
    const linked = view.shown ? view.shown.layers.filter((one) => one.link) : [];
    linked.forEach((one, k) => about.append(k ? ", " : " Original pictures: ", link(one)));
    const head = (text, scope) => {
      const cell = make("th", text);
      cell.scope = scope;
      return cell;
    };
    const column = (cell, key) => {
      cell.dataset.key = key;
      return cell;
    };
    const titles = make("tr");
    titles.append(head("Figure", "col"), ...group.columns.map((one) => {
      const cell = column(head(one.method, "col"), one.key);
      if (one.flag) cell.append(" ", make("span", "structure left", "flag"));
      return cell;
    }));
    find("figures-head").replaceChildren(titles);
    find("figures").replaceChildren(...data.figures.map((label, k) => {
      const line = make("tr");
      line.append(head(label, "row"),
        ...group.columns.map((one) => column(make("td", one.cells[k]), one.key)));
      return line;
    }));
  };

  const open = (number, { follow = false } = {}) => {
    const group = data.groups[number];
    if (!group || !stage) return;
    view.number = number;
    view.shown = pictures(number);
    for (const item of find("items").children) {
      const button = item.firstElementChild;
      const current = Number(item.dataset.group) === number;
      if (current) button.setAttribute("aria-current", "true");
      else button.removeAttribute("aria-current");
    }
    find("shown").textContent = group.name;
    tell(group);
    const nothing = find("nothing");
    nothing.hidden = Boolean(view.shown);
    nothing.textContent = view.shown ? "" : data.no_pictures;
    for (const side of sides) side.half.hidden = !view.shown;
    find("divider").hidden = !view.shown;
    if (view.shown) {
      const { width, height } = view.shown;
      const room = Math.max(240, Math.min(window.innerHeight * 0.72, 680));
      stage.style.height = `${Math.round(Math.min(room, Math.max(240, (stage.clientWidth * height) / width)))}px`;
      choose();
      view.zoom = fitting();
      render();
      place();
    }
    if (follow) {
      const calm = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
      find("viewer").scrollIntoView({ block: "nearest", behavior: calm ? "auto" : "smooth" });
    }
  };

  // ---- the list: reordered by the figure of any method ----
  const items = find("items");
  const visible = () => [...items.children].filter((item) => !item.hidden);
  const reorder = () => {
    const method = Number(find("order").value);
    const level = find("level") ? find("level").value : "";
    const rank = (item) => {
      const value = data.groups[item.dataset.group].values[method];
      return value === null ? Infinity : value * data.better;
    };
    for (const item of [...items.children].sort((a, b) => rank(a) - rank(b))) {
      const group = data.groups[item.dataset.group];
      const what = item.querySelector(".what");
      item.hidden = Boolean(level) && group.level !== level;
      const { text, change, kind } = group.texts[method];
      what.replaceChildren(make("span", text, "value"));
      if (change) what.append(make("span", change, `change ${kind}`));
      if (group.flags[method]) what.append(make("span", "structure", "flag"));
      items.append(item);
    }
    items.scrollTop = 0;
  };
  const step = (by) => {
    const order = visible().map((item) => Number(item.dataset.group));
    const at = order.indexOf(view.number);
    open(order[(at + by + order.length) % order.length]);
    const item = items.querySelector(`[data-group="${view.number}"]`);
    items.scrollTop = item.offsetTop - items.clientHeight / 2;
  };

  // ---- mouse, fingers, keys ----
  const pointers = new Map();
  let gesture = null;
  const at = (event) => {
    const area = stage.getBoundingClientRect();
    return { x: event.clientX - area.left, y: event.clientY - area.top };
  };
  const span = () => {
    const [a, b] = [...pointers.values()];
    return { size: Math.hypot(a.x - b.x, a.y - b.y), x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 };
  };
  const press = (event) => {
    if (event.button || !view.shown) return;
    const point = at(event);
    pointers.set(event.pointerId, point);
    stage.setPointerCapture(event.pointerId);
    const near = Math.abs(point.x - (view.split / 100) * stage.clientWidth) < 24;
    gesture = pointers.size === 2 ? { kind: "pinch", ...span() }
      : { kind: near || !zoomed() ? "divide" : "pan", ...point };
    stage.classList.toggle("moving", gesture.kind === "pan");
    if (gesture.kind === "divide" && event.pointerType === "mouse") {
      divide((point.x / stage.clientWidth) * 100);
    }
  };
  const move = (event) => {
    if (!pointers.has(event.pointerId) || !gesture) return;
    const point = at(event);
    pointers.set(event.pointerId, point);
    if (gesture.kind === "divide") divide((point.x / stage.clientWidth) * 100);
    if (gesture.kind === "pan") {
      pan(point.x - gesture.x, point.y - gesture.y);
      gesture = { kind: "pan", ...point };
    }
    if (gesture.kind === "pinch" && pointers.size === 2) {
      const now = span();
      zoomTo((view.zoom * now.size) / Math.max(1, gesture.size), now.x, now.y);
      pan(now.x - gesture.x, now.y - gesture.y);
      gesture = { kind: "pinch", ...now };
    }
  };
  const release = (event) => {
    pointers.delete(event.pointerId);
    stage.classList.remove("moving");
    const rest = [...pointers.values()][0];
    gesture = rest ? { kind: zoomed() ? "pan" : "divide", ...rest } : null;
  };
  const wheel = (event) => {
    if (!event.ctrlKey && document.activeElement !== stage) return;  // the page scrolls
    event.preventDefault();
    const lines = event.deltaMode === 1 ? 20 : 1;
    const { x, y } = at(event);
    zoomTo(view.zoom * Math.exp(-event.deltaY * lines * 0.002), x, y);
  };
  const keys = {
    "+": () => zoomTo(view.zoom * 1.5), "=": () => zoomTo(view.zoom * 1.5),
    "-": () => zoomTo(view.zoom / 1.5), "_": () => zoomTo(view.zoom / 1.5),
    "0": fit, "1": truePixels, "e": toSpot, "E": toSpot,
    ArrowLeft: (shift) => (shift ? divide(view.split - 2) : pan(60, 0)),
    ArrowRight: (shift) => (shift ? divide(view.split + 2) : pan(-60, 0)),
    ArrowUp: () => pan(0, 60), ArrowDown: () => pan(0, -60),
  };
  const key = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !keys[event.key]) return;
    if (event.key.startsWith("Arrow") && !event.shiftKey && !zoomed()) return;  // the page scrolls
    event.preventDefault();
    keys[event.key](event.shiftKey);
  };

  const press_points = () => {
    document.addEventListener("click", (event) => {
      const target = event.target.closest("[data-open]");
      if (target) open(Number(target.dataset.open), { follow: true });
    });
  };

  // ---- nearest by code ----
  const nearest = (number, index) => {
    const { names, thumbs, near } = data.codes[number];
    const picture = (k, role) => {
      const figure = make("figure");
      if (thumbs[k]) {
        const image = make("img");
        image.alt = `${role} ${names[k]}`;
        image.src = thumbs[k];
        figure.append(image);
      }
      figure.append(names[k]);
      return figure;
    };
    const row = make("li");
    row.append(picture(index, "Image"), ...near[index].map((k) => picture(k, "Near to it:")));
    find(`near-${number}`).replaceChildren(row);
  };
  const listen_codes = () => data.codes.forEach((_, number) => {
    const select = find(`code-${number}`);
    if (!select) return;
    select.addEventListener("change", () => nearest(number, Number(select.value)));
    document.addEventListener("click", (event) => {
      const point = event.target.closest(`[data-code-${number}]`);
      if (!point) return;
      select.value = point.getAttribute(`data-code-${number}`);
      nearest(number, Number(select.value));
    });
    nearest(number, Number(select.value));
  });

  // ---- on paper: the worst images side by side instead of the viewer ----
  const lay_out_paper = () => {
    const paper = find("paper");
    for (const group of data.groups.slice(0, 4)) {
      const shown = pictures(group.number);
      if (!shown) continue;
      const figure = make("figure");
      const row = make("div", "", "row");
      const wanted = [shown.layers[0], shown.layers.find((l) => l.key === data.leader), shown.layers.find((l) => l.key === "clean")];
      for (const one of new Set(wanted.filter(Boolean))) {
        const image = make("img");
        image.src = one.whole;
        image.alt = `${group.name}: ${one.label}`;
        row.append(image);
      }
      const names = [...new Set(wanted.filter(Boolean))].map((one) => one.label).join(", ");
      figure.append(row, make("figcaption", `${group.name}: ${names}`));
      paper.append(figure);
    }
  };

  const listen = () => {
    find("viewer").hidden = false;
    stage.addEventListener("pointerdown", press);
    stage.addEventListener("pointermove", move);
    stage.addEventListener("pointerup", release);
    stage.addEventListener("pointercancel", release);
    stage.addEventListener("wheel", wheel, { passive: false });
    stage.addEventListener("keydown", key);
    const click = (id, action) => find(id).addEventListener("click", action);
    click("in", () => zoomTo(view.zoom * 1.5));
    click("out", () => zoomTo(view.zoom / 1.5));
    click("fit", fit);
    click("true", truePixels);
    click("spot", toSpot);
    click("previous", () => step(-1));
    click("next", () => step(1));
    find("split").addEventListener("input", (event) => divide(Number(event.target.value)));
    find("left").addEventListener("change", (event) => { view.left = event.target.value; render(); });
    find("right").addEventListener("change", (event) => { view.right = event.target.value; render(); });
    find("removed").addEventListener("change", (event) => { view.removed = event.target.checked; render(); });
    find("order").addEventListener("change", reorder);
    if (find("level")) find("level").addEventListener("change", reorder);
    items.addEventListener("click", (event) => {
      const item = event.target.closest("li");
      if (item) open(Number(item.dataset.group), { follow: true });
    });
    new ResizeObserver(() => {
      if (!view.shown) return;
      if (view.fitted || view.zoom < fitting()) view.zoom = fitting();
      place();
    }).observe(stage);
  };

  if (stage) {
    listen();
    open(0);
    lay_out_paper();
  }
  press_points();
  listen_codes();
})();
