// A chapter of launch day: it plays its part, checks what came of it, and tells it in lines.
import type { ReceiptJson } from '../../../rpc/client/index.ts'
import { thousands } from '../../../node/cli/output.ts'
import type { Story } from '../story.ts'

export interface Chapter {
  readonly title: string
  readonly play: (story: Story, tell: Tell) => Promise<void>
}

/** One readable line; what a receipt proves stands behind it. */
export type Tell = (line: string, receipt?: ReceiptJson) => void

export function won(amount: number): string {
  return `${thousands(amount)} won`
}
