"""Two images on one place and a line between them that can be dragged, by mouse, finger or arrow keys. Nothing is loaded from elsewhere."""

import streamlit as st

from ivfnb.commands.app.pictures import data_url
from ivfnb.images import Image

_HTML = """
<figure>
  <img class="right"><img class="left">
  <span class="name left-name"></span><span class="name right-name"></span>
  <div class="line"><span>&#x2194;</span></div>
  <input type="range" min="0" max="1000" value="500">
</figure>
"""

_CSS = """
figure { --at: 50%; position: relative; margin: 0; overflow: hidden; border-radius: 0.5rem; user-select: none; background: #000; }
img { position: absolute; inset: 0; width: 100%; height: 100%; object-fit: fill; }
img.left { clip-path: inset(0 calc(100% - var(--at)) 0 0); }
.line { position: absolute; top: 0; bottom: 0; left: var(--at); width: 2px; margin-left: -1px; background: #fff; box-shadow: 0 0 4px #000; }
.line span { position: absolute; top: 50%; left: 50%; width: 2rem; height: 2rem; margin: -1rem; border-radius: 50%; background: #fff;
  color: #222; font: 1.1rem/2rem sans-serif; text-align: center; box-shadow: 0 0 4px #000; }
.name { position: absolute; top: 0.5rem; max-width: 45%; padding: 0.1rem 0.5rem; border-radius: 0.3rem; background: rgb(0 0 0 / 65%);
  color: #fff; font: 0.8rem/1.4 var(--st-font, sans-serif); }
.left-name { left: 0.5rem; }
.right-name { right: 0.5rem; }
input { position: absolute; inset: 0; width: 100%; height: 100%; margin: 0; opacity: 0; cursor: ew-resize; touch-action: pan-y;
  appearance: none; }
input::-webkit-slider-thumb { appearance: none; width: 2px; height: 100%; }
input::-moz-range-thumb { width: 2px; height: 100%; border: 0; }
figure:has(input:focus-visible) { outline: 3px solid var(--st-primary-color, #0072b2); outline-offset: 2px; }
"""

_JS = """
export default function ({ data, parentElement }) {
  const find = (what) => parentElement.querySelector(what);
  const figure = find("figure"), range = find("input");
  figure.style.aspectRatio = `${data.width} / ${data.height}`;
  for (const side of ["left", "right"]) {
    find(`img.${side}`).src = data[side];
    find(`img.${side}`).alt = data[`${side}_name`];
    find(`.${side}-name`).textContent = data[`${side}_name`];
  }
  range.setAttribute("aria-label", `Boundary between ${data.left_name} and ${data.right_name}`);
  const move = () => figure.style.setProperty("--at", `${range.value / 10}%`);
  range.oninput = move;
  move();
}
"""

_MOUNT = st.components.v2.component("ivfnb_before_after", html=_HTML, css=_CSS, js=_JS)


def before_after(left: Image, right: Image, names: tuple[str, str], key: str) -> None:
    """Show two images over each other, with a line between them that can be dragged.

    Parameters
    ----------
    left, right : arrays (h, w) or (h, w, 3), levels 0..255
        The right one is drawn in the size of the left one.
    names : (str, str)
        Written on them.
    key : str
        Of the widget.
    """
    height, width = left.shape[:2]
    sides = {"left": data_url(left), "right": data_url(right), "left_name": names[0], "right_name": names[1]}
    _MOUNT(data={**sides, "width": width, "height": height}, key=key)
