// What the start page uses of uqr: QR codes for the links of sessions.
export { encode } from 'uqr';
