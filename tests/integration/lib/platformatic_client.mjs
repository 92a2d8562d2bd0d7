import { pathToFileURL } from 'node:url';

// Modules of this kind are not looked for in NODE_PATH.
const { Admin, Consumer, Producer, stringSerializers, stringDeserializers } = await import(
    pathToFileURL(process.env.NODE_PATH + '/@platformatic/kafka/dist/index.js'));

const bootstrapBrokers = [process.argv[2]];
const options = (clientId) => ({ clientId, bootstrapBrokers, retries: 2, timeout: 10000 });

function check(what, ok) {
    if (!ok) {
        console.log('FAILED:', what);
        process.exit(1);
    }
    console.log('ok:', what);
}

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
async function until(what, condition) {
    for (let i = 0; i < 600 && !condition(); i++) await sleep(50);
    check(what, condition());
}

const admin = new Admin(options('admin'));
const made = await admin.createTopics({ topics: ['pf'], partitions: 4, replicas: 1 });
check('a topic is made', made[0].name === 'pf' && made[0].partitions === 4);

const producer = new Producer({ ...options('producer'), serializers: stringSerializers, idempotent: true });
for (let i = 0; i < 10; i++) {
    const messages = [];
    for (let j = 0; j < 100; j++) messages.push({ topic: 'pf', key: 'k' + j, value: 'v' + i, headers: { h: 'x' } });
    await producer.send({ messages, compression: ['none', 'gzip'][i % 2], acks: -1 });
}
await producer.close();
check('an idempotent producer has written', true);

const seen = new Map();
async function member(clientId) {
    const consumer = new Consumer({ ...options(clientId), groupId: 'pfgroup', deserializers: stringDeserializers });
    const stream = await consumer.consume({
        topics: ['pf'], mode: 'earliest', fallbackMode: 'earliest', autocommit: true, sessionTimeout: 6000, heartbeatInterval: 200,
    });
    stream.on('data', (m) => {
        const key = m.partition + ':' + m.offset;
        seen.set(key, (seen.get(key) || 0) + 1);
    });
    stream.on('error', (error) => console.log('stream', clientId, error.message));
    return { consumer, stream };
}
const partitions = (m) => (m.consumer.assignments || []).reduce((n, a) => n + a.partitions.length, 0);

const one = await member('one');
await until('one member reads all', () => seen.size === 1000);
const two = await member('two');
await until('two members share the partitions', () => partitions(one) === 2 && partitions(two) === 2);
const groups = await admin.describeGroups({ groups: ['pfgroup'] });
check('the group is described', groups.get('pfgroup').members.size === 2);
await two.stream.close();
await two.consumer.close();
await until('the other takes over', () => partitions(one) === 4);
await one.stream.close();
await one.consumer.close();

const offsets = await admin.listConsumerGroupOffsets({ groups: [{ groupId: 'pfgroup' }] });
const sum = offsets[0].topics[0].partitions.reduce((n, p) => n + Number(p.committedOffset), 0);
check('offsets are committed', sum === 1000);
await admin.deleteGroups({ groups: ['pfgroup'] });
await admin.deleteTopics({ topics: ['pf'] });
check('group and topic are gone', !(await admin.listTopics()).includes('pf'));
await admin.close();
