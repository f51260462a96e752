/** 32 hexadecimal digits; `crypto.randomUUID` is missing in pages over plain HTTP. */
export function newClientId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
