/** Viewers of a Node process. Needs the `ws` package. */
export { serveViewer, type ViewerServer, type ViewerServerOptions } from './viewer-server';
export { inspectOverWebSocket, type WebSocketInspector, type WebSocketInspectorOptions } from './websocket';
