/** The documents that show the chart, and how each is drawn anew. */
import { chartOf } from '../src/diagram/chart';
import { toMermaid } from '../src/diagram/mermaid';
import { toSvg } from '../src/diagram/svg';
import { createReconnectMachine } from '../src/index';

const chart = chartOf(createReconnectMachine({ connect: () => Promise.reject(new Error('only drawn')) }));

/** From a file and what is in it to what should be in it. */
export const drawDocuments: Readonly<Record<string, (text: string) => string | Promise<string>>> = {
  'README.md': (text) => text.replace(/(?<=^```mermaid\n).*?(?=^```)/msu, () => toMermaid(chart)),
  'docs/chart.svg': () => toSvg(chart),
};
