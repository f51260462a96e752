import { describe, expect, test } from 'vitest'
import { found, groupsOf } from '@/docs/model'
import { fieldsOf, paragraphsOf, refsOf, typeOf } from '@/docs/types'

const OPENAPI = {
  tags: [{ name: 'chats', description: 'Chats' }],
  paths: {
    '/api/chats/{chat_id}': {
      patch: {
        operationId: 'change_chat',
        tags: ['chats'],
        description: 'Changes a chat.',
        parameters: [
          {
            name: 'chat_id',
            in: 'path',
            required: true,
            description: 'The chat.',
            schema: { type: 'integer' },
          },
        ],
        requestBody: {
          content: {
            'application/json': { schema: { type: 'object', properties: { name: { type: 'string' } } } },
          },
        },
        responses: {
          200: {
            description: 'Done',
            content: { 'application/json': { schema: { $ref: '#/components/schemas/Chat' } } },
          },
          404: { $ref: '#/components/responses/not_found' },
        },
        security: [{ token: [] }],
        'x-codeSamples': [{ label: 'curl', source: 'curl' }],
      },
    },
  },
  webhooks: {
    new_message: {
      post: {
        operationId: 'deliver_new_message',
        description: 'The frame.',
        requestBody: {
          content: { 'application/json': { schema: { type: 'object', properties: { seq: {} } } } },
        },
        responses: { '2XX': { description: 'Delivered', content: {} } },
        security: [],
      },
    },
  },
  components: {
    schemas: { Chat: { type: 'object', properties: { id: { type: 'integer' } }, required: ['id'] } },
    responses: { not_found: { description: '`not_found`', content: {} } },
  },
}
const PING = { name: 'ping', payload: { type: 'object', properties: { type: {}, id: {} } } }
const ACK = { name: 'ack', payload: { properties: { type: {}, id: {}, ok: {}, seq: { type: 'integer' } } } }
const PONG = {
  name: 'pong',
  description: 'Answers.',
  payload: { properties: { type: {}, timestamp: { type: 'string' } } },
}
const CLOSING = { name: 'closing', payload: { properties: { code: { type: 'integer' } } } }
const at = (wire, key) => ({ $ref: `#/channels/${wire}/messages/${key}` })
const sent = (wire, title) => ({
  action: 'send',
  title,
  channel: { $ref: `#/channels/${wire}` },
  messages: [at(wire, title)],
})
const ASYNCAPI = {
  info: { description: 'Sockets.' },
  channels: {
    raw: { messages: { ping: PING, ping_ack: ACK, pong: PONG } },
    socketio: { messages: { pong: PONG, closing: CLOSING } },
  },
  operations: {
    raw_ping: {
      action: 'receive',
      title: 'ping',
      description: 'Answers `pong`.',
      channel: { $ref: '#/channels/raw' },
      messages: [at('raw', 'ping')],
      reply: { messages: [at('raw', 'ping_ack'), at('raw', 'error')] },
      'x-errors': ['invalid'],
      'x-codeSamples': [{ label: 'frame', source: '{}' }],
    },
    socketio_ping: {
      action: 'receive',
      title: 'ping',
      channel: { $ref: '#/channels/socketio' },
      messages: [at('socketio', 'ping')],
      'x-codeSamples': [{ label: 'Python', source: 'p' }],
    },
    raw_on_pong: sent('raw', 'pong'),
    socketio_on_pong: sent('socketio', 'pong'),
    socketio_on_closing: sent('socketio', 'closing'),
  },
}

describe('the groups of both documents', () => {
  const groups = groupsOf(OPENAPI, ASYNCAPI)

  test('are the tags of REST, commands, events and objects', () => {
    expect(groups.map(({ id, entries }) => [id, entries.map((entry) => entry.id)])).toEqual([
      ['rest-chats', ['change_chat']],
      ['deliveries', ['deliver_new_message']],
      ['commands', ['command-ping']],
      ['events', ['event-pong', 'event-closing']],
      ['objects', ['object-Chat']],
    ])
  })

  test('have the fields of a call with their places, its answers and its errors', () => {
    const [call] = groups[0].entries
    expect(call.fields.map(({ name, place, required }) => [name, place, required])).toEqual([
      ['chat_id', 'path', true],
      ['name', '', false],
    ])
    expect(call.answers.map(({ title, text, refs }) => [title, text, refs])).toEqual([
      ['200', 'Done', ['Chat']],
      ['404', '`not_found`', []],
    ])
  })

  test('have the code of both sockets, and no field of the frame around a payload', () => {
    const [command] = groups[2].entries
    expect(command.samples.map((sample) => sample.label)).toEqual(['frame', 'Python'])
    expect(command.fields).toEqual([])
    expect(command.answers.map(({ title, fields }) => [title, fields.length])).toEqual([
      ['ack', 1],
      ['error', 0],
    ])
    expect(groups[3].entries.map((entry) => entry.note)).toEqual(['', 'Socket.IO only.'])
  })

  test('are searched by words of names, texts and fields', () => {
    const ids = (query) => found(groups, query).flatMap((group) => group.entries.map((entry) => entry.id))
    expect(ids('')).toHaveLength(6)
    expect(ids('PATCH chats')).toEqual(['change_chat'])
    expect(ids('timestamp')).toEqual(['event-pong'])
    expect(ids('nothing')).toEqual([])
  })
})

test.each([
  [{ $ref: '#/components/schemas/Message' }, 'Message'],
  [{ anyOf: [{ $ref: '#/components/schemas/Message' }, { type: 'null' }] }, 'Message | null'],
  [{ type: ['string', 'null'], format: 'date-time' }, 'time | null'],
  [
    { type: 'array', items: { type: 'integer', minimum: 1, maximum: 2 ** 53 - 1 }, maxItems: 10 },
    'list of integer, at most 10',
  ],
  [{ type: 'integer', minimum: 1, maximum: 200, default: 50 }, 'integer, 1 to 200, default 50'],
  [{ type: 'integer', minimum: 0 }, 'integer, 0 or more'],
  [{ enum: ['a', 'b'] }, '"a" | "b"'],
  [{ const: true }, 'true'],
  [
    { type: 'object', additionalProperties: { type: 'array', items: { type: 'string' } } },
    'object of list of string',
  ],
  [{ type: 'string', contentMediaType: 'image/png' }, 'file'],
  [{ type: ['array', 'null'] }, 'list of any | null'],
  [{}, 'any'],
])('the type %j in words', (schema, words) => {
  expect(typeOf(schema)).toBe(words)
})

test('fields, references and texts', () => {
  expect(fieldsOf({ properties: { type: {}, id: { type: 'integer', description: 'x' } } }, ['type'])).toEqual(
    [{ name: 'id', type: 'integer', refs: [], place: '', required: false, text: 'x' }],
  )
  expect(refsOf({ type: 'array', items: { $ref: '#/components/schemas/User' } })).toEqual(['User'])
  expect(paragraphsOf('One `a` two.\n\nThree.')).toEqual([['One ', 'a', ' two.'], ['Three.']])
})
