export default {
  find: {
    results: 'Search results',
    messages: 'Messages',
    filters: 'Which messages',
    inThisChat: 'In this chat',
    inChat: 'In “{name}”',
    fromSomebody: 'From…',
    from: 'From {name}',
    has: { link: 'With a link', file: 'With a file' },
    all: 'Show all ({n})',
    searching: 'Searching for messages…',
    words: 'Type what you look for.',
    noLetters: 'Messages are found by letters and digits. Type at least one.',
    nothing:
      'Nothing found. A message has to have all the words; the last one may be only the beginning of a word.',
    noMessages: 'No messages found.',
    indexing:
      'The server is still preparing older messages for search. Messages show here as soon as it is done.',
    indexingPercent:
      'The server is still preparing older messages for search: {percent} % are done. Messages show here as soon as it is done.',
    tooMany: 'Too many searches at once. The search goes on in a moment.',
    offline: 'No network. Messages are searched when it is back.',
    network: 'The server cannot be reached. Messages are searched when it is back.',
    count: 'Chats: {chats}, people: {people}, messages: {messages}',
    countMessages: 'Messages: {messages}',
  },
}
