/** A statechart as a picture: laid out and drawn by Graphviz. */
import { instance } from '@viz-js/viz';
import type { Chart } from './chart';
import { TEXT_STYLE, toDot } from './dot';

/** Graphviz gives numbers of its own to what it draws, a title to each, and a comment or two; none of them is of use. */
const NOISE = /<!--.*?-->\n?|<title>.*?<\/title>\n?|<\?xml[^>]*\?>\n?|<!DOCTYPE[^>]*>\n?/gsu;

/** Draws `chart` as an SVG document that stands alone and takes its colour from the text around it. */
export async function toSvg(chart: Chart): Promise<string> {
  const viz = await instance();
  const drawn = viz.renderString(toDot(chart), { format: 'svg' });
  const svg = drawn.replace(NOISE, '').replaceAll('"black"', '"currentColor"').replaceAll('&#45;', '-').trim();
  // A picture of its own, as in a README, has no text around it: dark on light, light on dark.
  const colours = 'svg{color:#1f2328}@media(prefers-color-scheme:dark){svg{color:#e6edf3}}text{fill:currentColor}';
  const head = `<title>The statechart ${chart.root.name.replace(/[<&]/gu, ' ')}</title>\n<style>${colours}${TEXT_STYLE}</style>`;
  return `${svg.replace(/<svg[^>]*>/u, (tag) => `${tag}\n${head}`)}\n`;
}
