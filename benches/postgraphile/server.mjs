// PostGraphile as its documentation sets it up: the Amber preset over one schema, prepared statements, no extras. Listens
// on the port of its first argument; DATABASE_URL says where the database is.
import { createServer } from "node:http";
import { postgraphile } from "postgraphile";
import { makePgService } from "postgraphile/adaptors/pg";
import { grafserv } from "postgraphile/grafserv/node";
import { PostGraphileAmberPreset } from "postgraphile/presets/amber";

// The driver takes a socket's folder as `host`, in a URL's query.
const preset = {
  extends: [PostGraphileAmberPreset],
  grafserv: { watch: false, graphiql: false },
  grafast: { explain: false },
  pgServices: [
    makePgService({ connectionString: process.env.DATABASE_URL, schemas: ["public"], poolConfig: { max: 16 } }),
  ],
};

const instance = postgraphile(preset);
const server = createServer();
await instance.createServ(grafserv).addTo(server);
server.listen(Number(process.argv[2]), "127.0.0.1", () => console.log("ready"));
process.on("SIGTERM", () => process.exit(0));
