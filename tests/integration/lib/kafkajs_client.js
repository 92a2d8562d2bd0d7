const { Kafka, logLevel, CompressionTypes } = require('kafkajs');
const kafka = new Kafka({ clientId: 'js', brokers: [process.argv[2]], logLevel: logLevel.ERROR });

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

async function member(name, groupId, seen) {
    const consumer = kafka.consumer({ groupId, sessionTimeout: 6000, heartbeatInterval: 200 });
    const assigned = [];
    consumer.on(consumer.events.GROUP_JOIN, (e) => {
        assigned.length = 0;
        assigned.push(...(e.payload.memberAssignment.js || []));
    });
    await consumer.connect();
    await consumer.subscribe({ topic: 'js', fromBeginning: true });
    await consumer.run({
        eachMessage: async ({ partition, message }) => {
            const key = partition + ':' + message.offset;
            seen.set(key, (seen.get(key) || 0) + 1);
        },
    });
    return { consumer, assigned };
}

(async () => {
    const admin = kafka.admin();
    await admin.connect();
    check('a topic is made', await admin.createTopics({ topics: [{ topic: 'js', numPartitions: 4 }] }));
    check('once', !(await admin.createTopics({ topics: [{ topic: 'js', numPartitions: 4 }] })));

    const producer = kafka.producer({ idempotent: true });
    await producer.connect();
    const sent = [];
    for (let i = 0; i < 20; i++) {
        const messages = [];
        for (let j = 0; j < 50; j++) messages.push({ key: 'k' + j, value: 'v' + i + '-' + j, headers: { h: 'x' } });
        sent.push(producer.send({ topic: 'js', messages, compression: i % 2 ? CompressionTypes.GZIP : CompressionTypes.None }));
    }
    await Promise.all(sent);
    await producer.disconnect();
    const ends = await admin.fetchTopicOffsets('js');
    check('an idempotent producer wrote each once', ends.reduce((n, p) => n + Number(p.high), 0) === 1000);

    const seen = new Map();
    const one = await member('one', 'jsgroup', seen);
    await until('one member has all partitions', () => one.assigned.length === 4);
    await until('and reads all', () => seen.size === 1000);
    const two = await member('two', 'jsgroup', seen);
    await until('two members share them', () => one.assigned.length === 2 && two.assigned.length === 2);
    const described = await admin.describeGroups(['jsgroup']);
    check('the group is described', described.groups[0].members.length === 2);
    await one.consumer.disconnect();
    await until('the other takes over', () => two.assigned.length === 4);
    await two.consumer.disconnect();

    const offsets = await admin.fetchOffsets({ groupId: 'jsgroup', topics: ['js'] });
    check('offsets are committed', offsets[0].partitions.reduce((n, p) => n + Number(p.offset), 0) === 1000);
    const configs = await admin.describeConfigs({ resources: [{ type: 2, name: 'js' }], includeSynonyms: true });
    check('configs are described', configs.resources[0].configEntries.length > 20);
    check('records are deleted', await admin.deleteTopicRecords({ topic: 'js', partitions: [{ partition: 0, offset: '5' }] }) === undefined);
    const after = await admin.fetchTopicOffsets('js');
    check('the log starts later', after.find((p) => p.partition === 0).low === '5');
    await admin.deleteGroups(['jsgroup']);
    check('the group is gone', !(await admin.listGroups()).groups.some((g) => g.groupId === 'jsgroup'));
    await admin.deleteTopics({ topics: ['js'] });
    check('the topic is gone', !(await admin.listTopics()).includes('js'));
    await admin.disconnect();
})().catch((error) => {
    console.log('FAILED:', error);
    process.exit(1);
});
