// PostGraphile with the production settings of its documentation: one process, a pool of 8 connections, only the API.
import { createServer } from 'node:http';
import { grafserv } from 'postgraphile/grafserv/node';
import { postgraphile } from 'postgraphile';
import { makePgService } from 'postgraphile/adaptors/pg';
import { PostGraphileAmberPreset } from 'postgraphile/presets/amber';
import { PostGraphileConnectionFilterPreset } from 'postgraphile-plugin-connection-filter';

const { DATABASE_URL, LISTEN = '127.0.0.1:8093' } = process.env;
if (!DATABASE_URL) throw new Error('DATABASE_URL is not set');
const [host, port] = LISTEN.split(':');

const preset = {
  extends: [PostGraphileAmberPreset, PostGraphileConnectionFilterPreset],
  pgServices: [
    makePgService({ connectionString: DATABASE_URL, schemas: ['public'], poolConfig: { min: 8, max: 8 } }),
  ],
  schema: { connectionFilterRelations: true },
  grafserv: { graphiql: false, watch: false, websockets: false, maxRequestLength: 262_144 },
  grafast: { explain: false },
};

const server = createServer();
await postgraphile(preset).createServ(grafserv).addTo(server);
server.listen(Number(port), host);
