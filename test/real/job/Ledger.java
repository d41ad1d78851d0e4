import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.UUID;
import org.apache.flink.api.common.state.ListState;
import org.apache.flink.api.common.state.ListStateDescriptor;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.java.tuple.Tuple2;
import org.apache.flink.runtime.state.FunctionInitializationContext;
import org.apache.flink.runtime.state.FunctionSnapshotContext;
import org.apache.flink.streaming.api.checkpoint.CheckpointedFunction;
import org.apache.flink.streaming.api.functions.ProcessFunction;
import org.apache.flink.util.Collector;

/**
 * Counts all numbers in its state, and writes what happens to a file that no restore takes back.
 * A line is `NAME RUN WHAT ...`; a run is one start of this task.
 *
 * <pre>
 *   start TOTAL ID       it begins with this total, from that snapshot; ID is "-" when from nothing
 *   number N SEEN TOTAL  number N came, SEEN of its key before it; TOTAL with it
 *   snapshot ID TOTAL    the total goes into that snapshot
 * </pre>
 */
final class Ledger extends ProcessFunction<Tuple2<Long, Long>, Void>
    implements CheckpointedFunction {
  private static final long serialVersionUID = 1;
  private final String name;
  private final String file;
  private transient ListState<Long> kept;
  private transient String run;
  private transient long total;

  Ledger(String name, String file) {
    this.name = name;
    this.file = file;
  }

  @Override
  public void initializeState(FunctionInitializationContext context) throws Exception {
    kept =
        context.getOperatorStateStore().getListState(new ListStateDescriptor<>("total", Types.LONG));
    for (Long one : kept.get()) {
      total += one;
    }
    run = UUID.randomUUID().toString().substring(0, 8);
    String from =
        context.getRestoredCheckpointId().isPresent()
            ? Long.toString(context.getRestoredCheckpointId().getAsLong())
            : "-";
    write("start " + total + " " + from);
  }

  @Override
  public void processElement(Tuple2<Long, Long> number, Context context, Collector<Void> out)
      throws Exception {
    total++;
    write("number " + number.f0 + " " + number.f1 + " " + total);
  }

  @Override
  public void snapshotState(FunctionSnapshotContext context) throws Exception {
    kept.clear();
    kept.add(total);
    write("snapshot " + context.getCheckpointId() + " " + total);
  }

  /** One write per line, at the end of the file: lines of several jobs do not mix. */
  private void write(String what) throws IOException {
    byte[] line = (name + " " + run + " " + what + "\n").getBytes(StandardCharsets.UTF_8);
    Files.write(Path.of(file), line, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
  }
}
