import java.util.HashMap;
import java.util.Map;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.functions.MapFunction;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.connector.source.lib.NumberSequenceSource;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;

/**
 * Counts 0, 1, 2, ... and keeps a ledger of it that outlives the job (see {@link Ledger}).
 *
 * <pre>
 *   numbers (1) -> by n mod 8 -> seen (as wide as the job) -> ledger (1)
 * </pre>
 *
 * Three states have to agree at any time: the source's position, how many numbers of each key were
 * seen (spread over the job's width, so that it moves when the width changes), and the ledger's
 * total. It uses API that is the same from Flink 1.20 to 2.x.
 *
 * <p>--name: whose ledger. --ledger: the file. --rps: numbers a second (20). --end: the job ends by
 * itself after so many (0: never). --throw main: throws before there is a job. --throw task: each
 * task throws at its first number.
 */
public final class Numbers {
  private Numbers() {}

  public static void main(String[] argv) throws Exception {
    Map<String, String> args = new HashMap<>();
    for (int i = 0; i + 1 < argv.length; i += 2) {
      args.put(argv[i].replaceFirst("^--", ""), argv[i + 1]);
    }
    String fault = args.getOrDefault("throw", "");
    if (fault.equals("main")) {
      throw new IllegalStateException("asked to throw in main");
    }
    long end = Long.parseLong(args.getOrDefault("end", "0"));
    long pause = 1000 / Long.parseLong(args.getOrDefault("rps", "20"));
    String name = args.getOrDefault("name", "numbers");
    String ledger = args.getOrDefault("ledger", "/data/ledger");

    StreamExecutionEnvironment env = StreamExecutionEnvironment.getExecutionEnvironment();
    env.fromSource(
            new NumberSequenceSource(0, end > 0 ? end - 1 : Long.MAX_VALUE - 1),
            WatermarkStrategy.noWatermarks(),
            "numbers")
        .uid("numbers")
        .setParallelism(1)
        .map(new Slowly(pause))
        .returns(Types.LONG)
        .uid("slowly")
        .setParallelism(1)
        .keyBy(Seen::key, Types.LONG)
        .process(new Seen(fault.equals("task")))
        .returns(Types.TUPLE(Types.LONG, Types.LONG))
        .uid("seen")
        .name("seen")
        .process(new Ledger(name, ledger))
        .uid("ledger")
        .name("ledger")
        .setParallelism(1);
    env.execute("numbers");
  }

  /** Holds each number back for a while: the source itself knows no rate. */
  private static final class Slowly implements MapFunction<Long, Long> {
    private static final long serialVersionUID = 1;
    private final long pause;

    Slowly(long pause) {
      this.pause = pause;
    }

    @Override
    public Long map(Long number) throws Exception {
      Thread.sleep(pause);
      return number;
    }
  }
}
