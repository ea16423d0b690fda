/** A page that a server has rendered, with the React example, taken over. Its query names the server to connect to. */
import { StrictMode } from 'react';
import { hydrateRoot } from 'react-dom/client';
import { App } from '../../examples/react/app';

const url = new URLSearchParams(location.search).get('url') ?? '';
hydrateRoot(
  document.getElementById('app')!,
  <StrictMode>
    <App url={url} />
  </StrictMode>,
);
