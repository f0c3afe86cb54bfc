package io.loam.store.sequence;

import io.loam.store.sequence.Step.Action;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;

/** Finds a short, simple sequence that still fails: drops ever smaller chunks of steps, then simplifies each step's numbers. */
final class Shrinker {
    private final Predicate<List<Step>> fails;
    private int triesLeft;

    Shrinker(Predicate<List<Step>> fails, int tries) {
        this.fails = fails;
        this.triesLeft = tries;
    }

    List<Step> shrink(List<Step> failing) {
        List<Step> best = failing;
        while (triesLeft > 0) {
            List<Step> before = best;
            best = simplify(dropChunks(best));
            if (best.equals(before)) {
                break;
            }
        }
        return best;
    }

    private boolean stillFails(List<Step> candidate) {
        return triesLeft-- > 0 && fails.test(candidate);
    }

    private List<Step> dropChunks(List<Step> steps) {
        List<Step> best = steps;
        for (int chunk = Math.max(1, best.size() / 2); chunk >= 1; chunk /= 2) {
            for (int from = best.size() - chunk; from >= 0; from -= chunk) {
                List<Step> candidate = new ArrayList<>(best);
                candidate.subList(from, from + chunk).clear();
                if (stillFails(candidate)) {
                    best = candidate;
                    from = Math.min(from, best.size());
                }
            }
        }
        return best;
    }

    private List<Step> simplify(List<Step> steps) {
        List<Step> best = new ArrayList<>(steps);
        for (int i = 0; i < best.size(); i++) {
            for (Step simpler : simplerForms(best.get(i))) {
                List<Step> candidate = new ArrayList<>(best);
                candidate.set(i, simpler);
                if (stillFails(candidate)) {
                    best = candidate;
                    break;
                }
            }
        }
        return best;
    }

    private static List<Step> simplerForms(Step step) {
        List<Step> forms = new ArrayList<>();
        for (int size : new int[] {0, 8, 100, 1000, step.size() / 2, step.size() - step.size() % 100}) {
            if (size < step.size()) {
                forms.add(new Step(step.action(), step.key(), size, step.choice()));
            }
        }
        if (step.action().takesValue() && step.action() != Action.PUT) {
            forms.add(new Step(Action.PUT, step.key(), step.size(), step.choice()));
        }
        if (step.key() > 4) {
            forms.add(new Step(step.action(), 4, step.size(), step.choice()));
        }
        for (int choice : new int[] {0, 1, step.choice() & 0xF, step.choice() & 0xFFFF}) {
            if (choice < step.choice()) {
                forms.add(new Step(step.action(), step.key(), step.size(), choice));
            }
        }
        return forms;
    }
}
