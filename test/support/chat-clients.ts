import { once } from 'node:events';
import { IoAdapter } from '@nestjs/platform-socket.io';
import { WsAdapter } from '@nestjs/platform-ws';
import { io } from 'socket.io-client';
import { WebSocket } from 'ws';

/** What a handler answers with: an event, since both transports send that as it is. */
export interface Said {
  readonly event: string;
  readonly data: unknown;
}

/** A client that hears one answer for each thing it says. */
export interface ChatClient {
  say(event: string, data?: unknown): Promise<Said>;
  close(): Promise<unknown>;
}

async function openSocketIo(url: string, extraHeaders: Record<string, string>): Promise<ChatClient> {
  const socket = io(url, { transports: ['websocket'], reconnection: false, forceNew: true, extraHeaders });
  await new Promise<void>((connected) => socket.once('connect', connected));
  return {
    say: (event, said) =>
      new Promise((heard) => {
        socket.onAny((answer: string, data: unknown) => {
          socket.offAny();
          heard({ event: answer, data });
        });
        socket.emit(event, said);
      }),
    close: () => {
      const closed = new Promise<void>((done) => socket.io.engine.once('close', () => done()));
      socket.disconnect();
      return closed;
    },
  };
}

async function openWs(url: string, headers: Record<string, string>): Promise<ChatClient> {
  const socket = new WebSocket(url, { headers });
  await once(socket, 'open');
  return {
    say: async (event, data) => {
      const heard = once(socket, 'message');
      socket.send(JSON.stringify({ event, data }));
      return JSON.parse(String((await heard)[0])) as Said;
    },
    close: () => {
      const closed = once(socket, 'close');
      socket.close();
      return closed;
    },
  };
}

/** The packages for WebSockets that Nest knows, and clients of theirs. */
export const TRANSPORTS = {
  'socket.io': { Adapter: IoAdapter, open: openSocketIo },
  ws: { Adapter: WsAdapter, open: openWs },
} as const;
