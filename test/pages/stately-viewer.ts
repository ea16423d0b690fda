/** What stands where Stately's inspector would: a page with its receiver, which keeps what it is told. */
import { createBrowserReceiver, type StatelyInspectionEvent } from '@statelyai/inspect';

const heard: StatelyInspectionEvent[] = [];
createBrowserReceiver().subscribe((event) => heard.push(event));
Object.assign(globalThis, { heard });
