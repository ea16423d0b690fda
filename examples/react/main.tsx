/** Shows the message board of the server that this page came from. */
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './app';

createRoot(document.getElementById('app')!).render(
  <StrictMode>
    <App url={location.origin.replace('http', 'ws')} />
  </StrictMode>,
);
