package io.loam.store.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.loam.memory.RawMemory;
import io.loam.store.engine.Requests.Request;
import io.loam.store.engine.Requests.Taken;
import java.lang.foreign.Arena;
import java.util.Objects;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What is asked is done by one leader after another, and answered to whoever asked it. */
final class RequestsTest {

    private final Arena arena = Arena.ofShared();
    private final Requests requests = new Requests(
            RawMemory.ofProcess(), arena.allocate(Requests.BYTES, 64).address());

    @AfterEach
    void free() {
        arena.close();
    }

    private static Request create(String name) {
        return new Request(Requests.CREATE, 0, 1, 2, name);
    }

    private Taken take() {
        return Objects.requireNonNull(requests.take());
    }

    @Test
    void whatIsAskedIsAnswered() {
        assertThat(requests.take()).isNull();
        long number = requests.post(create("n"));
        assertThat(requests.isDone(number)).isFalse();
        Taken taken = take();
        assertThat(taken.request()).isEqualTo(create("n"));
        assertThat(taken.again()).isFalse();
        requests.answer(taken.number(), 7);
        assertThat(requests.isDone(number)).isTrue();
        assertThat(requests.result()).isEqualTo(7);
        assertThat(requests.take()).isNull();
    }

    /** Forbidden: the answer to one who died is taken for that to its successor in the same place. */
    @Test
    void answerToAPredecessorIsNoAnswer() {
        long before = requests.post(create("before"));
        Taken taken = take();
        requests.reset();
        long after = requests.post(create("after"));
        requests.answer(taken.number(), 1);
        assertThat(after).isNotEqualTo(before);
        assertThat(requests.isDone(after)).isFalse();
        Taken second = take();
        assertThat(second.request()).isEqualTo(create("after"));
        assertThat(second.again()).isFalse();
        requests.answer(second.number(), 2);
        assertThat(requests.isDone(after)).isTrue();
        assertThat(requests.result()).isEqualTo(2);
    }

    /** Who gave up waiting asks something else. */
    @Test
    void answerThatComesTooLateIsNoAnswer() {
        long ignored = requests.post(create("before"));
        Taken taken = take();
        long after = requests.post(create("after"));
        requests.answer(taken.number(), 1);
        assertThat(requests.isDone(after)).isFalse();
    }

    @Test
    void whoDoesItAgainIsToldSo() {
        long number = requests.post(create("n"));
        Taken ignored = take();
        Taken again = take();
        assertThat(again.again()).isTrue();
        assertThat(again.request()).isEqualTo(create("n"));
        requests.answer(again.number(), 3);
        assertThat(requests.isDone(number)).isTrue();
    }
}
