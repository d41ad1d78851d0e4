import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.java.tuple.Tuple2;
import org.apache.flink.streaming.api.functions.KeyedProcessFunction;
import org.apache.flink.util.Collector;

/** Numbers with how many of their key came before: of a number n that has to be n / 8. */
final class Seen extends KeyedProcessFunction<Long, Long, Tuple2<Long, Long>> {
  private static final long serialVersionUID = 1;
  private static final long KEYS = 8;
  private final boolean throwing;
  private transient ValueState<Long> seen;

  Seen(boolean throwing) {
    this.throwing = throwing;
  }

  static Long key(Long number) {
    return number % KEYS;
  }

  @Override
  public void processElement(Long number, Context context, Collector<Tuple2<Long, Long>> out)
      throws Exception {
    if (throwing) {
      throw new IllegalStateException("asked to throw at number " + number);
    }
    if (seen == null) {
      seen = getRuntimeContext().getState(new ValueStateDescriptor<>("seen", Types.LONG));
    }
    Long before = seen.value();
    long count = before == null ? 0 : before;
    seen.update(count + 1);
    out.collect(Tuple2.of(number, count));
  }
}
