// What people do, in the stock Firefox.
import { engineFlows } from './flows.mjs';

engineFlows('firefox');
