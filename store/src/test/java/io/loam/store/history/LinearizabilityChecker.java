package io.loam.store.history;

import io.loam.store.history.KeyModel.State;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Searches an order of one key's calls that respects real time and the model.
 *
 * <p>Calls and returns stand in a doubly linked list by time. From its start, each call up to the first return may be next; if the model
 * allows it, it is lifted out with its return; when the first element is a return, the search steps back. A set of (lifted calls, state)
 * already tried is not tried again. A call that leaves the state as it is loses nothing by being next, so no other is tried in its place.
 */
final class LinearizabilityChecker {

    /** A call or its return in the list. */
    private static final class Node {
        final int id;
        final Call call;

        @Nullable
        Node matchingReturn;

        @Nullable
        Node previous;

        @Nullable
        Node next;

        Node(int id, Call call) {
            this.id = id;
            this.call = call;
        }

        void lift() {
            unlink(this);
            unlink(java.util.Objects.requireNonNull(matchingReturn));
        }

        void unlift() {
            relink(java.util.Objects.requireNonNull(matchingReturn));
            relink(this);
        }

        private static void unlink(Node node) {
            Node before = java.util.Objects.requireNonNull(node.previous);
            before.next = node.next;
            if (node.next != null) {
                node.next.previous = before;
            }
        }

        private static void relink(Node node) {
            java.util.Objects.requireNonNull(node.previous).next = node;
            if (node.next != null) {
                node.next.previous = node;
            }
        }
    }

    private record Tried(BitSet lifted, State state) {}

    private record Lifted(Node node, State before, boolean forced) {}

    private final KeyModel model;
    private final long maxTries;

    LinearizabilityChecker(KeyModel model, long maxTries) {
        this.model = model;
        this.maxTries = maxTries;
    }

    /** Null if the history is linearizable; else where every order gets stuck, with the calls around it. */
    @Nullable
    String explain(List<Call> history) {
        Node head = list(history);
        Deque<Lifted> done = new ArrayDeque<>();
        Set<Tried> tried = new HashSet<>();
        BitSet lifted = new BitSet(history.size());
        State state = State.START;
        int furthest = -1;
        String stuck = "";
        long tries = 0;
        Node at = head.next;
        while (head.next != null) {
            if (++tries > maxTries) {
                throw new IllegalStateException("undecided after " + maxTries + " tries; make the history shorter");
            }
            if (at != null && at.matchingReturn != null) {
                State next = model.after(state, at.call);
                if (next != null) {
                    lifted.set(at.id);
                    if (tried.add(new Tried((BitSet) lifted.clone(), next))) {
                        done.push(new Lifted(at, state, next.equals(state)));
                        state = next;
                        at.lift();
                        at = head.next;
                        continue;
                    }
                    lifted.clear(at.id);
                }
                at = at.next;
                continue;
            }
            if (done.size() > furthest) {
                furthest = done.size();
                stuck = describe(head, state, done);
            }
            Lifted last;
            do {
                if (done.isEmpty()) {
                    return stuck;
                }
                last = done.pop();
                state = last.before;
                lifted.clear(last.node.id);
                last.node.unlift();
            } while (last.forced);
            at = last.node.next;
        }
        return null;
    }

    private static Node list(List<Call> history) {
        record Moment(long nanos, boolean isReturn, Node node) {}
        List<Moment> moments = new ArrayList<>();
        for (int i = 0; i < history.size(); i++) {
            Node invoke = new Node(i, history.get(i));
            Node end = new Node(i, history.get(i));
            invoke.matchingReturn = end;
            moments.add(new Moment(history.get(i).invokedNanos(), false, invoke));
            moments.add(new Moment(history.get(i).returnedNanos(), true, end));
        }
        // At the same nanosecond a call comes before a return: they count as concurrent.
        moments.sort(Comparator.comparingLong(Moment::nanos).thenComparing(Moment::isReturn));
        Node head = new Node(-1, Call.of(Call.Kind.GET, null, null, 0, 0, 0));
        Node last = head;
        for (Moment moment : moments) {
            last.next = moment.node;
            moment.node.previous = last;
            last = moment.node;
        }
        return head;
    }

    private static String describe(Node head, State state, Deque<Lifted> done) {
        StringBuilder text = new StringBuilder("not linearizable. In the longest order found, after\n");
        List<Lifted> recent =
                new ArrayList<>(done).subList(0, Math.min(8, done.size())).reversed();
        recent.forEach(each -> text.append("    ").append(each.node.call).append("\n"));
        text.append("  the key is ").append(state).append(", and none of these can be next:\n");
        for (Node node = head.next; node != null && node.matchingReturn != null; node = node.next) {
            text.append("    ").append(node.call).append("\n");
        }
        return text.toString();
    }
}
