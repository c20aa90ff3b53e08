// Start telegram-test-api on a port: `node start.js PORT`. It prints one line when it listens.
//
// The emulator keeps the messages; this file only bridges where it differs from Telegram's real API, and each
// difference stands here with its reason:
//   getMe             lacks `is_bot`, which every client library needs
//   getUpdates        answers at once; Telegram holds the request until something arrives (long polling)
//                     and hands an update out again until a later offset confirms it
//   sendMessage       dates its messages in milliseconds and echoes form fields as unparsed strings
//   callback queries  lack `chat_instance`
//   webhooks          come without the secret header that setWebhook asked for
//   sendVenue, sendChatAction, setMyCommands   do not exist: taken here, readable at /recorded
//   edited messages   do not exist: /sendUpdate takes a whole update
// The tests' side: /wait answers when the bot has said something new in a chat, /fail makes the bot's next
// sendMessage in a chat fail the way Telegram would.
const http = require('http');
const axios = require('axios');
const express = require('express');
const TelegramServer = require('telegram-test-api');

const telegram = new TelegramServer({port: Number(process.argv[2]), host: '127.0.0.1', storeTimeout: 600});
telegram.setMaxListeners(0);
const front = express();
const recorded = [];
const failures = {};
const raw = [];
let unconfirmed = [];
const EVENTS = ['AddedUserMessage', 'AddedUserCommand', 'AddedUserCallbackQuery'];

function completed(update) {
  if (update.callback_query) {
    update.callback_query.chat_instance = String(update.callback_query.message.chat.id);
  }
  return update;
}

axios.interceptors.request.use((config) => {
  const hook = Object.values(telegram.webhooks).find((each) => each.url === config.url);
  if (hook) {
    config.data = completed(config.data);
    config.headers['X-Telegram-Bot-Api-Secret-Token'] = hook.secret_token || '';
  }
  return config;
});

// Wait for one of the emulator's events, at most some milliseconds, or until the asker has gone.
function happens(events, milliseconds, res) {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      events.forEach((name) => telegram.off(name, done));
      res.off('close', done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    events.forEach((name) => telegram.on(name, done));
    res.on('close', done);
  });
}

function answering(change) {
  return (req, res, next) => {
    const json = res.json.bind(res);
    res.json = (body) => json(body.ok && body.result ? {...body, result: change(body.result, req)} : body);
    next();
  };
}

front.use('/bot:token', express.json({limit: '1mb'}), express.urlencoded({extended: true, limit: '1mb'}));
front.all('/bot:token/getMe', answering((me) => ({...me, is_bot: true, can_join_groups: true})));
front.all('/bot:token/getUpdates', async (req, res) => {
  const until = Date.now() + 1000 * Number(req.body.timeout || 0);
  let gone = false;
  res.on('close', () => { gone = true; });
  for (;;) {
    unconfirmed = unconfirmed.filter((each) => each.update_id >= Number(req.body.offset || 0));
    unconfirmed.push(...raw.splice(0), ...telegram.getUpdates(req.params.token).map(completed));
    const left = until - Date.now();
    if (unconfirmed.length || left <= 0) {
      res.json({ok: true, result: unconfirmed});
      return;
    }
    await happens([...EVENTS, 'AddedRaw'], left, res);
    if (gone) return;
  }
});
front.all('/bot:token/sendMessage', (req, res, next) => {
  const failure = (failures[req.body.chat_id] || []).shift();
  if (failure) {
    res.status(failure.error_code).json({ok: false, ...failure});
    return;
  }
  if (!req.body.text || req.body.text.length > 4096) {
    res.status(400).json({ok: false, error_code: 400, description: 'Bad Request: message text is empty or too long'});
    return;
  }
  next();
}, answering((message) => ({
  message_id: message.message_id, date: Math.floor(message.date / 1000), chat: message.chat, text: message.text,
})));
front.all(['sendVenue', 'sendChatAction', 'setMyCommands'].map((method) => `/bot:token/${method}`), (req, res) => {
  const method = req.path.split('/').pop();
  recorded.push({method, ...req.body});
  const chat = {id: Number(req.body.chat_id), type: 'private'};
  const sent = {message_id: 100000 + recorded.length, date: Math.floor(Date.now() / 1000), chat};
  res.json({ok: true, result: method === 'sendVenue' ? sent : true});
});
front.use(['/recorded', '/fail', '/wait', '/sendUpdate'], express.json({limit: '1mb'}));
front.get('/recorded', (req, res) => res.json(recorded));
front.post('/fail', (req, res) => {
  (failures[req.body.chat_id] = failures[req.body.chat_id] || []).push(req.body.failure);
  res.json({ok: true});
});
front.post('/sendUpdate', (req, res) => {
  raw.push(req.body);
  telegram.emit('AddedRaw');
  res.json({ok: true});
});
front.post('/wait', async (req, res) => {
  const until = Date.now() + 1000 * req.body.timeout;
  for (;;) {
    const found = telegram.storage.botMessages.filter((each) =>
      String(each.message.chat_id) === String(req.body.chat_id) && each.messageId > req.body.after);
    const left = until - Date.now();
    if (found.length || left <= 0) {
      res.json(found);
      return;
    }
    await happens(['AddedBotMessage'], left, res);
  }
});
front.use(telegram.webServer);

http.createServer(front).listen(telegram.config.port, '127.0.0.1', () => console.log(`listening on ${telegram.config.port}`));
