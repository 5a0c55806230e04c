// A run as a conversation: who says what.
import { blockHash } from '../../consensus/block.ts'
import type { Message } from '../../consensus/messages.ts'
import { toHex } from '../../primitives/bytes.ts'

const short = (hash: Uint8Array): string => toHex(hash).slice(0, 6)

export function describeMessage(message: Message): string {
  switch (message.type) {
    case 'pre-prepare':
      return `PrePrepare view ${message.view} height ${message.header.height} block ${short(blockHash(message.header))} on ${short(message.header.parent)}`
    case 'prepare':
    case 'commit':
      return `${message.type === 'prepare' ? 'Prepare' : 'Commit'} view ${message.view} height ${message.height} block ${short(message.blockHash)}`
    case 'checkpoint':
      return `Checkpoint ${message.content.height} root ${short(message.content.stateRoot)}`
    case 'view-change':
      return `ViewChange to view ${message.view} of epoch ${message.epoch}: base ${message.base?.header.height ?? 0}, prepared ${message.prepared.map(({ header, certificate }) => `${header.height}:${short(certificate.blockHash)} in ${certificate.view}`).join(', ') || 'nothing'}`
    case 'new-view':
      return `NewView ${message.view} by ${message.viewChanges.map((one) => `v${one.validator}`).join(' ')}, adopting ${message.adopted.map((one) => short(one.blockHash)).join(' ') || 'nothing'}`
    case 'status':
      return `Status view ${message.view}${[' (waiting)', '', ' (distrusting)'][message.active] ?? ''}${message.wish > message.view ? ` wishing ${message.wish}` : ''}, committed ${message.committed}, checkpoint ${message.checkpoint}`
    case 'certified':
      return `Certified ${message.certificate.content.height}`
  }
}
