/** An object's database that counts the rows it writes: they are most of what an object costs. */
import { counter } from "../observability/meter.ts";

type Cursor = ReturnType<SqlStorage["exec"]>;

/** `object`: its kind. Rows of migrations and the alarm's own are not in the count. */
export function countedSql(sql: SqlStorage, app: string, object: string): SqlStorage {
  const rows = counter("tidings_object_rows_written_total", { app, object });
  /** Of a statement that answers rows the count is whole when these are read: at the next statement at the latest. */
  let open: Cursor | null = null;
  const exec = (query: string, ...bindings: unknown[]): Cursor => {
    if (open !== null) rows.value += open.rowsWritten;
    open = null;
    const cursor = sql.exec(query, ...bindings);
    if (/\bRETURNING\b/.test(query)) open = cursor;
    else rows.value += cursor.rowsWritten;
    return cursor;
  };
  return {
    exec,
    get databaseSize() {
      return sql.databaseSize;
    },
  } as unknown as SqlStorage;
}
