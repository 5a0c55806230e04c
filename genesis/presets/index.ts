// The presets by name.
import { busan } from './busan.ts'
import { devnet } from './devnet.ts'
import type { Preset } from './preset.ts'

export const presets: Readonly<Record<string, Preset>> = { busan, devnet }
