import * as Plot from "@observablehq/plot";
import { useEffect, useRef } from "react";
import type { Axes } from "./address.ts";
import { describe, type Point } from "./column.ts";

/** Renders a chart. Loaded lazily, because Observable Plot is large. */
export default function Figure({ points, axes, title }: { points: Point[]; axes: Axes; title: string }) {
  const figure = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const place = figure.current;
    if (!place) return;
    const draw = () => place.replaceChildren(drawn(points, axes, title || describe(axes), place.clientWidth));
    draw();
    let width = place.clientWidth;
    const observer = new ResizeObserver(() => {
      if (place.clientWidth === width) return;
      width = place.clientWidth;
      draw();
    });
    observer.observe(place);
    return () => observer.disconnect();
  }, [points, axes, title]);
  return <div className="kurultai-figure" ref={figure} />;
}

const MARGIN = 8;
const LETTER = 7;
const LINE = 14;
const shorten = (text: unknown) => {
  const all = String(text);
  return all.length > 80 ? `${all.slice(0, 79)}…` : all;
};

function drawn(points: Point[], { kind, x, y, series }: Axes, name: string, width: number) {
  const value = y || "number of rows";
  const isMeasured = points.some((point) => typeof point.x !== "string");
  const places = [...new Set(points.map((point) => point.x))];
  const labels = places.map((place) => shorten(place).length);
  // Long labels are easier to read one below the other, beside horizontal bars.
  const isLying = kind === "bar" && (Math.max(...labels) > 10 || places.length * Math.max(...labels) * LETTER > width - 60);
  const longest = Math.max(...labels) * LETTER + MARGIN * 2;
  const colour = series ? "series" : "var(--kurultai-mark)";
  const common: Plot.PlotOptions = {
    width,
    ariaLabel: name,
    style: { background: "none", fontFamily: "inherit", fontSize: "12px" },
    ...(series ? { color: { legend: true, scheme: "Observable10" as const, domain: [...new Set(points.map((one) => one.series))] } } : {}),
  };
  const channels = { [x]: "x", [value]: "y", ...(series ? { [series]: "series" } : {}) };
  const tip = { channels, format: { x: false, y: false, fill: false, stroke: false, z: false } } as const;
  const whole = points.every((point) => Number.isInteger(point.y));
  const most = Math.max(...points.map((point) => point.y));
  const ticks = whole && most < 6 ? { ticks: Math.max(1, most), tickFormat: "d" } : { ticks: 5 };

  if (isLying) {
    const margin = Math.min(longest, width / 2);
    // Long labels wrap into several lines; the factor allows for lines that are not full.
    const lines = Math.ceil((Math.max(...labels) * LETTER * 1.2) / (margin - MARGIN * 2));
    return Plot.plot({
      ...common,
      height: places.length * (LINE * Math.max(1, longest > margin ? lines : 1) + 12) + 56,
      marginLeft: margin,
      marginBottom: 36,
      x: { label: value, grid: true, ...ticks },
      y: { label: null, domain: places, type: "band" },
      marks: [
        Plot.axisY({ label: null, tickSize: 0, tickFormat: shorten, lineWidth: (margin - MARGIN * 2) / 12 }),
        Plot.barX(points, { x: "y", y: "x", fill: colour, tip }),
        Plot.ruleX([0]),
      ],
    });
  }
  const axis = isMeasured ? {} : { domain: places, type: kind === "bar" ? ("band" as const) : ("point" as const) };
  const isYears = isMeasured && points.every((point) => typeof point.x === "number" && Number.isInteger(point.x));
  return Plot.plot({
    ...common,
    height: 240,
    marginBottom: 40,
    x: { label: x, ...axis, ...(isYears ? { tickFormat: "d" } : {}) },
    y: { label: value, grid: true, ...ticks },
    marks:
      kind === "bar"
        ? [Plot.barY(points, { x: "x", y: "y", fill: colour, tip }), Plot.ruleY([0])]
        : [
            Plot.ruleY([0]),
            Plot.lineY(points, { x: "x", y: "y", z: "series", stroke: colour, marker: true, tip }),
          ],
  });
}
