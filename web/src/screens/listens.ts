/** Where letters typed outside a field are shortcuts. */

/** Whether letters act at this address: in the wallet and at a till, not where a stray key would leave a form. */
export function listens(at: string): boolean {
  return /^\/(c\/[\w-]+\/?)?$/.test(at);
}
