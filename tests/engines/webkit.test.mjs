// What people do, in WebKit, as GTK has it.
import { engineFlows } from './flows.mjs';

engineFlows('webkit');
