/** Renders the React example as a server does, prints what became of it, and has nothing left to do. */
import { renderToString } from 'react-dom/server';
import { App } from '../../examples/react/app';

const html = renderToString(<App url={process.argv[2] ?? ''} />);
console.log(JSON.stringify({ html, resources: process.getActiveResourcesInfo() }));
