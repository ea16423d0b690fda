/** Tools to test an app against disconnects: virtual time and scripted sessions. */
export {
  createScriptedServer,
  createScriptedSession,
  type ScriptedAttempt,
  type ScriptedCall,
  type ScriptedServer,
  type ScriptedSession,
} from './scripted';
export { createVirtualClock, type VirtualClock } from './virtual-clock';
