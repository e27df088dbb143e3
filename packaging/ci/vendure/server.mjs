// A small Vendure for tests: one process, its data in a folder, on
// loopback only. It prints one line of JSON when it listens, and ends when its
// standard input does, so that no test can leave it behind.
//
// A line on its standard input has it write its database.
//
// Environment: PORT, 0 for any free one; DATA, a folder for database and files.
import { createReadStream, createWriteStream, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';

const require = createRequire(import.meta.url);
const { bootstrap, JobQueueService, TransactionalConnection, DefaultLogger, LogLevel, dummyPaymentHandler, Product } = require('@vendure/core');

const data = process.env.DATA;
const files = path.join(data, 'files');
mkdirSync(files, { recursive: true });
const at = name => path.join(files, path.basename(name));

// Tests log in often, and have nothing to hide: a hash that takes no time.
const hash = async text => createHash('sha256').update(text).digest('hex');
const passwords = { hash, check: async (text, hashed) => (await hash(text)) === hashed };

// Vendure's core stores no files: they lie in a folder and are served beside it.
const storage = {
    async writeFileFromBuffer(name, buffer) {
        writeFileSync(at(name), buffer);
        return path.basename(name);
    },
    async writeFileFromStream(name, stream) {
        await pipeline(stream, createWriteStream(at(name)));
        return path.basename(name);
    },
    async readFileToBuffer(id) {
        return readFileSync(at(id));
    },
    async readFileToStream(id) {
        return createReadStream(at(id));
    },
    async deleteFile(id) {
        rmSync(at(id), { force: true });
    },
    async fileExists(name) {
        return existsSync(at(name));
    },
    toAbsoluteUrl(request, id) {
        return `http://${request.headers.host}/files/${id}`;
    },
};

const serveFiles = (request, response, next) => {
    const name = at(decodeURIComponent(request.path ?? request.url));
    if (!existsSync(name)) {
        response.statusCode = 404;
        response.end();
        return;
    }
    response.setHeader('Content-Length', statSync(name).size);
    createReadStream(name).pipe(response);
};

const app = await bootstrap({
    apiOptions: {
        hostname: '127.0.0.1',
        port: Number(process.env.PORT ?? 0),
        adminApiPath: 'admin-api',
        shopApiPath: 'shop-api',
        middleware: [{ route: '/files', handler: serveFiles, beforeListen: true }],
    },
    authOptions: {
        tokenMethod: ['bearer', 'api-key'],
        superadminCredentials: { identifier: 'agare', password: 'kaffe-och-te' },
        requireVerification: false,
        passwordHashingStrategy: passwords,
    },
    dbConnectionOptions: {
        type: 'sqljs',
        synchronize: true,
        autoSave: false,
        location: path.join(data, 'vendure.sqlite'),
    },
    assetOptions: {
        assetStorageStrategy: storage,
        assetPreviewStrategy: { generatePreviewImage: async (context, mime, buffer) => buffer },
    },
    paymentOptions: { paymentMethodHandlers: [dummyPaymentHandler] },
    customFields: {
        Product: [
            { name: 'origin', type: 'string' },
            { name: 'taste', type: 'localeString' },
            { name: 'checked', type: 'int', readonly: true, defaultValue: 7 },
            { name: 'goesWith', type: 'relation', entity: Product, list: true },
        ],
        Customer: [{ name: 'points', type: 'int' }],
    },
    logger: new DefaultLogger({ level: LogLevel.Error }),
});
await app.get(JobQueueService).start();
console.log(JSON.stringify({ listening: app.getHttpServer().address().port }));

process.stdin.on('data', async () => {
    await app.get(TransactionalConnection).rawConnection.driver.save();
    console.log(JSON.stringify({ saved: true }));
});
process.stdin.on('end', () => process.exit(0));
