package io.loam.cli.space;

import io.loam.cli.ByteSize;
import io.loam.memory.region.Participants.Participant;
import io.loam.memory.region.Region;
import io.loam.memory.region.Registry;
import io.loam.memory.space.AddressSpace;
import io.loam.memory.space.AddressSpaces;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** What a registry holds at a moment: a sentence for each thing, by what it is about. */
record Snapshot(Map<String, String> facts) {

    static Snapshot of(Registry registry) {
        Map<String, String> facts = new TreeMap<>();
        AddressSpaces spaces = AddressSpaces.of(registry);
        for (Region region : registry.regions().list()) {
            String about = "region " + region.name();
            facts.put(about, "has " + ByteSize.format(region.bytes()));
            for (Participant participant : registry.regions().attachedTo(region)) {
                facts.put(about + " and pid " + participant.pid(), "are attached");
            }
        }
        for (AddressSpace space : spaces.list()) {
            String about = "space " + space.name();
            facts.put(
                    about,
                    "has " + space.members().size() + " regions, changed " + (space.generation() - 1) + " times");
            for (Participant participant : spaces.attachedTo(space)) {
                facts.put(about + " and pid " + participant.pid(), "are attached");
            }
        }
        return new Snapshot(facts);
    }

    List<String> lines() {
        List<String> lines = new ArrayList<>();
        facts.forEach((about, fact) -> lines.add("  " + about + " " + fact));
        return lines;
    }

    /** What is different later: {@code +} came, {@code -} went, {@code *} changed. */
    List<String> changesTo(Snapshot later) {
        List<String> lines = new ArrayList<>();
        facts.forEach((about, fact) -> {
            String now = later.facts.get(about);
            if (now == null) {
                lines.add("- " + about + " " + fact);
            } else if (!now.equals(fact)) {
                lines.add("* " + about + " " + now);
            }
        });
        later.facts.forEach((about, fact) -> {
            if (!facts.containsKey(about)) {
                lines.add("+ " + about + " " + fact);
            }
        });
        return lines;
    }
}
