/** What runs in the process of a test: a viewer's server, and nothing else once it was told to end. */
import { serveViewer } from '../../src/inspect/node';

const { url } = await serveViewer();
// Its parent is all that keeps it.
process.once('message', () => process.disconnect());
process.send?.(url);
