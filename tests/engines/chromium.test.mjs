// What people do, in Chromium.
import { engineFlows } from './flows.mjs';

engineFlows('chromium');
