// A layer that paints one canvas over the view and paints anew after each move.

const MARGIN = 96;

export const CanvasOverlay = L.Layer.extend({
  options: { pane: "overlayPane", className: "" },

  initialize(options) {
    L.setOptions(this, options);
  },

  onAdd(map) {
    this._canvas = L.DomUtil.create("canvas", `leaflet-zoom-hide map-canvas ${this.options.className}`, this.getPane());
    this._canvas.setAttribute("aria-hidden", "true");
    map.on("moveend zoomend resize", this.repaint, this);
    this._scheme = matchMedia("(prefers-color-scheme: dark)");
    this._onScheme = () => this.repaint();
    this._scheme.addEventListener("change", this._onScheme);
    this.repaint();
  },

  onRemove(map) {
    map.off("moveend zoomend resize", this.repaint, this);
    this._scheme.removeEventListener("change", this._onScheme);
    this._canvas.remove();
    this._canvas = null;
  },

  /** Paint once in the next frame, however often it is asked for. */
  repaint() {
    if (this._frame || !this._canvas) return;
    this._frame = requestAnimationFrame(() => {
      this._frame = 0;
      if (this._canvas && this._map) this._paint();
    });
  },

  _paint() {
    const map = this._map;
    const size = map.getSize().add([2 * MARGIN, 2 * MARGIN]);
    const ratio = window.devicePixelRatio || 1;
    const canvas = this._canvas;
    canvas.width = Math.round(size.x * ratio);
    canvas.height = Math.round(size.y * ratio);
    canvas.style.width = `${size.x}px`;
    canvas.style.height = `${size.y}px`;
    L.DomUtil.setPosition(canvas, map.containerPointToLayerPoint([-MARGIN, -MARGIN]));
    const context = canvas.getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, MARGIN * ratio, MARGIN * ratio);
    this.paint(context, map, { width: size.x - MARGIN, height: size.y - MARGIN, margin: MARGIN });
  },
});
