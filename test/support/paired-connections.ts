// Two ends of a connection in memory, with what a link uses of libp2p's: streams that half-close, pause and reset, and a wire that can be held or cut.
import type { Connection, Stream } from '@libp2p/interface'

class Ended extends Event {
  readonly error: Error | undefined
  constructor(error: Error | undefined) {
    super('close')
    this.error = error
  }
}

class Data extends Event {
  readonly data: Uint8Array
  constructor(data: Uint8Array) {
    super('message')
    this.data = data
  }
}

class FakeStream extends EventTarget {
  status = 'open'
  readStatus = 'readable'
  writeStatus = 'writable'
  writableNeedsDrain = false
  far: FakeStream | undefined
  readonly protocol: string
  private readonly end: FakeConnection
  private readonly unread: Uint8Array[] = []
  private farEnded = false

  constructor(protocol: string, end: FakeConnection) {
    super()
    this.protocol = protocol
    this.end = end
  }

  send(bytes: Uint8Array): boolean {
    if (this.writeStatus !== 'writable') throw new Error(`a ${this.writeStatus} stream`)
    this.end.carry(() => this.far?.take(bytes.slice()))
    return true
  }

  private take(bytes: Uint8Array): void {
    this.unread.push(bytes)
    this.hand()
  }

  private hand(): void {
    if (this.readStatus !== 'readable') return
    for (const bytes of this.unread.splice(0)) this.dispatchEvent(new Data(bytes))
    if (!this.farEnded) return
    this.readStatus = 'closed'
    this.dispatchEvent(new Event('end'))
    this.maybeClosed()
  }

  private maybeClosed(): void {
    if (this.status === 'open' && this.readStatus === 'closed' && this.writeStatus === 'closed') this.finish('closed')
  }

  async close(): Promise<void> {
    if (this.writeStatus !== 'writable') return
    this.writeStatus = 'closed'
    this.end.carry(() => {
      if (this.far === undefined) return
      this.far.farEnded = true
      this.far.hand()
    })
    this.maybeClosed()
  }

  pause(): void {
    this.readStatus = 'paused'
  }

  resume(): void {
    this.readStatus = 'readable'
    this.hand()
  }

  abort(error: Error): void {
    this.end.carry(() => this.far?.finish('reset', new Error('reset')))
    this.finish('aborted', error)
  }

  finish(status: string, error?: Error): void {
    if (this.status !== 'open') return
    this.status = status
    this.readStatus = this.writeStatus = 'closed'
    this.end.streams = this.end.streams.filter((stream) => stream !== this)
    this.dispatchEvent(new Ended(error))
  }
}

class FakeConnection extends EventTarget {
  status = 'open'
  streams: FakeStream[] = []
  far: FakeConnection | undefined
  readonly direction: 'inbound' | 'outbound'
  private readonly state: { readonly held: boolean }
  private readonly waiting: (() => void)[] = []
  private onStream: ((stream: FakeStream) => void) | undefined
  private early: FakeStream[] = []

  constructor(direction: 'inbound' | 'outbound', state: { readonly held: boolean }) {
    super()
    this.direction = direction
    this.state = state
  }

  /** Streams that the other side opened before wait until now, as for a handshake's end. */
  listen(onStream: (stream: FakeStream) => void): void {
    this.onStream = onStream
    for (const stream of this.early.splice(0)) this.answer(stream)
  }

  private answer(stream: FakeStream): void {
    if (this.onStream === undefined) return void this.early.push(stream)
    this.carry(() => stream.far?.dispatchEvent(new Event('agreed')))
    this.onStream(stream)
  }

  /** To the other end, in order, a turn later. */
  carry(act: () => void): void {
    this.waiting.push(act)
    setImmediate(() => this.flush())
  }

  flush(): void {
    while (!this.state.held && this.far?.status === 'open') {
      const act = this.waiting.shift()
      if (act === undefined) return
      act()
    }
  }

  async newStream(protocol: string): Promise<FakeStream> {
    const near = this.open(protocol)
    await new Promise<void>((resolve, reject) => {
      near.addEventListener('close', () => reject(new Error('it closed')))
      near.addEventListener('agreed', () => resolve())
      this.carry(() => {
        const { far } = this
        if (far === undefined) return
        const other = far.open(protocol)
        near.far = other
        other.far = near
        far.answer(other)
      })
    })
    return near
  }

  private open(protocol: string): FakeStream {
    if (this.status !== 'open') throw new Error('the connection is closed')
    const stream = new FakeStream(protocol, this)
    this.streams.push(stream)
    return stream
  }

  async close(): Promise<void> {
    this.carry(() => this.far?.finish())
    this.finish()
  }

  abort(error: Error): void {
    this.carry(() => this.far?.finish(new Error('reset')))
    this.finish(error)
  }

  finish(error?: Error): void {
    if (this.status !== 'open') return
    this.status = 'closed'
    for (const stream of this.streams) stream.finish('closed', error)
    this.dispatchEvent(new Ended(error))
  }
}

export interface End {
  readonly connection: Connection
  /** Called with each stream that the other side opens. */
  onStream(act: (stream: Stream) => void): void
  isOpen(): boolean
}

export interface PairedConnection {
  readonly dialler: End
  readonly listener: End
  /** While held, nothing passes and neither end notices. */
  hold(): void
  release(): void
}

export function pairConnections(): PairedConnection {
  const state = { held: false }
  const ends = [new FakeConnection('outbound', state), new FakeConnection('inbound', state)] as const
  ends[0].far = ends[1]
  ends[1].far = ends[0]
  const endOf = (fake: FakeConnection): End => ({
    // the rest of libp2p's surface is not used by links
    connection: fake as unknown as Connection,
    onStream: (act) => fake.listen((stream) => act(stream as unknown as Stream)),
    isOpen: () => fake.status === 'open',
  })
  return {
    dialler: endOf(ends[0]),
    listener: endOf(ends[1]),
    hold: () => {
      state.held = true
    },
    release: () => {
      state.held = false
      for (const end of ends) end.flush()
    },
  }
}

