package io.loam.store.index;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** The pieces of a resizing, and the schedule that inserts keep to. */
class ResizeTest {

    private static final long SOURCE = 128;
    private static final long SIBLING = 256;
    private static final int[] BLOCKS = {7, 9};

    private static Resize merging() {
        return new Resize(SOURCE, SIBLING, 384, 0, BLOCKS, 100, 64, 1000, 1400);
    }

    private static void zeroAll(Resize resize) {
        for (int block : BLOCKS) {
            int piece = resize.claim();
            assertThat(resize.isBlock(piece)).isTrue();
            assertThat(resize.block(piece)).isEqualTo(block);
        }
        assertThat(resize.blockDone()).isFalse();
        assertThat(resize.blockDone()).isTrue();
        resize.setLinked();
    }

    @Test
    void noHomeIsMovedBeforeTheSuccessorsAreLinked() {
        Resize resize = merging();
        resize.claim();
        resize.claim();
        assertThat(resize.claim()).isEqualTo(Resize.NONE);
        assertThat(resize.blockDone()).isFalse();
        assertThat(resize.claim()).isEqualTo(Resize.NONE);
        assertThat(resize.blockDone()).isTrue();
        assertThat(resize.claim()).isEqualTo(Resize.NONE);
        resize.setLinked();
        assertThat(resize.claim()).isNotEqualTo(Resize.NONE);
    }

    @Test
    void everyHomeOfBothSourcesIsInOnePieceAndTheLastOneIsTold() {
        Resize resize = merging();
        zeroAll(resize);
        Set<Long> homes = new HashSet<>();
        int last = 0;
        for (int piece = resize.claim(); piece != Resize.NONE; piece = resize.claim()) {
            assertThat(resize.isBlock(piece)).isFalse();
            assertThat(resize.endHome(piece) - resize.firstHome(piece)).isBetween(1, 32);
            for (int home = resize.firstHome(piece); home < resize.endHome(piece); home++) {
                assertThat(homes.add(resize.table(piece) + home)).isTrue();
            }
            last += resize.homesDone() ? 1 : 0;
            assertThat(last).isEqualTo(homes.size() == 164 ? 1 : 0);
        }
        Set<Long> all = new HashSet<>();
        for (long home = 0; home < 100; home++) {
            all.add(SOURCE + home);
        }
        for (long home = 0; home < 64; home++) {
            all.add(SIBLING + home);
        }
        assertThat(homes).isEqualTo(all);
    }

    @Test
    void theScheduleRisesByPiecesAndLeavesHalfTheRoomForTheLast() {
        Resize resize = merging();
        assertThat(resize.allowedKeys()).isEqualTo(1000);
        long before = resize.allowedKeys();
        zeroAll(resize);
        assertThat(resize.allowedKeys()).isBetween(before + 1, 1200L);
        before = resize.allowedKeys();
        while (resize.claim() != Resize.NONE) {
            assertThat(resize.allowedKeys()).isGreaterThan(before);
            assertThat(resize.allowedKeys() == 1400 || resize.allowedKeys() <= 1200)
                    .isTrue();
            before = resize.allowedKeys();
        }
        assertThat(resize.allowedKeys()).isEqualTo(1400);
    }
}
