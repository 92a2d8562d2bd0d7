/* KafkaJS' transactional producer: the first version of every request of the protocol. */
const { Kafka, logLevel } = require('kafkajs');
const kafka = new Kafka({ clientId: 'js', brokers: [process.argv[2]], logLevel: logLevel.NOTHING });

function check(what, ok) {
    if (!ok) {
        console.log('FAILED:', what);
        process.exit(1);
    }
    console.log('ok:', what);
}

/* What a reader with this isolation sees of the topic until nothing more comes. */
async function read(topic, readUncommitted) {
    const consumer = kafka.consumer({ groupId: 'reader-' + Math.random(), readUncommitted, maxWaitTimeInMs: 100 });
    const values = [];
    let last = Date.now();
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    await consumer.run({
        eachMessage: async ({ message }) => {
            values.push(message.value.toString());
            last = Date.now();
        },
    });
    while (Date.now() - last < 1500) await new Promise((resolve) => setTimeout(resolve, 100));
    await consumer.disconnect();
    return values.sort().join(' ');
}

(async () => {
    const admin = kafka.admin();
    await admin.connect();
    await admin.createTopics({ topics: [{ topic: 'js-txn', numPartitions: 2 }] });
    const producer = kafka.producer({ transactionalId: 'js', maxInFlightRequests: 1, idempotent: true });
    await producer.connect();
    const send = async (transaction, ...values) =>
        transaction.send({ topic: 'js-txn', messages: values.map((value) => ({ key: value, value })) });

    let transaction = await producer.transaction();
    await send(transaction, 'a', 'b', 'c');
    await transaction.sendOffsets({ consumerGroupId: 'js-group', topics: [{ topic: 'js-txn', partitions: [{ partition: 0, offset: '5' }] }] });
    await transaction.commit();
    const offset = async () => (await admin.fetchOffsets({ groupId: 'js-group', topics: ['js-txn'] }))[0].partitions[0].offset;
    check('a committed offset', (await offset()) === '5');

    transaction = await producer.transaction();
    await send(transaction, 'x', 'y');
    await transaction.sendOffsets({ consumerGroupId: 'js-group', topics: [{ topic: 'js-txn', partitions: [{ partition: 0, offset: '9' }] }] });
    await transaction.abort();
    check('an aborted offset does not count', (await offset()) === '5');

    transaction = await producer.transaction();
    await send(transaction, 'd');
    await transaction.commit();
    check('read_committed sees what was committed', (await read('js-txn', false)) === 'a b c d');
    check('read_uncommitted sees all', (await read('js-txn', true)) === 'a b c d x y');

    transaction = await producer.transaction();
    await send(transaction, 'zombie');
    const young = kafka.producer({ transactionalId: 'js', maxInFlightRequests: 1, idempotent: true });
    await young.connect();
    const next = await young.transaction();
    let fenced = false;
    try {
        await transaction.commit();
    } catch (error) {
        fenced = true;
    }
    check('a zombie is fenced', fenced);
    await send(next, 'e');
    await next.commit();
    check('and what it wrote is not seen', (await read('js-txn', false)) === 'a b c d e');
    process.exit(0);
})().catch((error) => {
    console.log('FAILED:', error);
    process.exit(1);
});
