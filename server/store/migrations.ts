/** How the database got its shape, step by step. A step that was ever released is never changed: a new one follows it. */
import { sql, type Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

export const MIGRATIONS: Record<string, Migration> = {
  '0001 rooms, people, rounds': {
    async up(db: Kysely<unknown>): Promise<void> {
      await db.schema
        .createTable('rooms')
        .addColumn('key', 'integer', (column) => column.primaryKey().autoIncrement())
        .addColumn('code', 'text', (column) => column.notNull())
        .addColumn('hostDigest', 'text', (column) => column.notNull())
        .addColumn('saved', 'text', (column) => column.notNull())
        .addColumn('round', 'integer')
        .addColumn('touched', 'integer', (column) => column.notNull())
        .addColumn('closed', 'text')
        .execute();
      await db.schema.createIndex('roomsByCode').on('rooms').column('code').unique().where(sql.ref('closed'), 'is', null).execute();
      await db.schema
        .createTable('people')
        .addColumn('room', 'integer', (column) => column.notNull().references('rooms.key').onDelete('cascade'))
        .addColumn('id', 'text', (column) => column.notNull())
        .addColumn('place', 'integer', (column) => column.notNull())
        .addColumn('name', 'text', (column) => column.notNull())
        .addColumn('digest', 'text', (column) => column.notNull())
        .addColumn('saved', 'text', (column) => column.notNull())
        .addPrimaryKeyConstraint('peopleOfRooms', ['room', 'id'])
        .execute();
      await db.schema
        .createTable('rounds')
        .addColumn('key', 'integer', (column) => column.primaryKey().autoIncrement())
        .addColumn('id', 'text', (column) => column.notNull().unique())
        .addColumn('room', 'integer', (column) => column.references('rooms.key').onDelete('cascade'))
        .addColumn('code', 'text')
        .addColumn('number', 'integer', (column) => column.notNull())
        .addColumn('rules', 'integer', (column) => column.notNull())
        .addColumn('scenario', 'text', (column) => column.notNull())
        .addColumn('seed', 'integer', (column) => column.notNull())
        .addColumn('seats', 'integer', (column) => column.notNull())
        .addColumn('began', 'integer', (column) => column.notNull())
        .addColumn('ended', 'integer')
        .addColumn('hash', 'text')
        .addColumn('result', 'text')
        .execute();
      await db.schema.createIndex('roundsByRoom').on('rounds').column('room').execute();
      await db.schema.createIndex('roundsByCode').on('rounds').column('code').execute();
      await db.schema
        .createTable('beats')
        .addColumn('seq', 'integer', (column) => column.primaryKey())
        .addColumn('bytes', 'blob', (column) => column.notNull())
        .execute();
      await db.schema
        .createTable('chunks')
        .addColumn('round', 'integer', (column) => column.notNull().references('rounds.key').onDelete('cascade'))
        .addColumn('first', 'integer', (column) => column.notNull())
        .addColumn('bytes', 'blob', (column) => column.notNull())
        .addPrimaryKeyConstraint('chunksOfRounds', ['round', 'first'])
        .execute();
      await db.schema
        .createTable('snapshots')
        .addColumn('round', 'integer', (column) => column.primaryKey().references('rounds.key').onDelete('cascade'))
        .addColumn('n', 'integer', (column) => column.notNull())
        .addColumn('message', 'blob', (column) => column.notNull())
        .execute();
    },
  },
};
