/** A WebSocket whose other end is the test. */
export class FakeSocket {
  static CONNECTING = 0
  static OPEN = 1
  static CLOSED = 3

  /** @type {FakeSocket[]} */
  static all = []

  static get last() {
    return FakeSocket.all.at(-1)
  }

  constructor(url) {
    this.url = url
    this.readyState = FakeSocket.CONNECTING
    this.sent = []
    this.closedWith = null
    FakeSocket.all.push(this)
  }

  get token() {
    return new URL(this.url).searchParams.get('token')
  }

  send(text) {
    this.sent.push(JSON.parse(text))
  }

  /** Closes from the client. Browsers allow only these codes. */
  close(code = 1000) {
    if (code !== 1000 && (code < 3000 || code > 4999)) throw new Error(`InvalidAccessError: ${code}`)
    this.closedWith = code
    this.readyState = FakeSocket.CLOSED
  }

  /** Closes from the server or the network. */
  end(code = 1006, reason = '') {
    this.readyState = FakeSocket.CLOSED
    this.onclose?.({ code, reason })
  }

  deliver(frame) {
    this.onmessage?.({ data: typeof frame === 'string' ? frame : JSON.stringify(frame) })
  }

  /** The server accepts the connection and sends `connected`. */
  accept(userId = 1, more = {}) {
    this.readyState = FakeSocket.OPEN
    this.deliver({
      type: 'connected',
      user_id: userId,
      timestamp: '2025-11-23T10:00:00.000000+00:00',
      ...more,
    })
    return this
  }
}
