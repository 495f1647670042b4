export { type Fault, ProviderServer, type ReceivedRequest, vectorOf } from './provider-server.js';
