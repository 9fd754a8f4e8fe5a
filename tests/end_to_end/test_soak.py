"""A few rounds of scripts/soak, whose hits are counted."""

import os
import random
import unittest

import soak


class ShortSoak(soak.Soak):
    def until_hit(self, one_round, least_rounds, least_hits):
        """Rounds of one_round(number), from a number that is drawn, until so many signals hit."""
        first = random.Random(os.urandom(4)).randrange(1, 10**6)
        rounds = 0
        while rounds < least_rounds or (self.hits.total() < least_hits and rounds < 20):
            one_round(first + rounds, 1)
            rounds += 1
        self.assertEqual(self.sum["rounds"], rounds)
        self.assertGreaterEqual(self.hits.total(), least_hits, self.told())

    def test_signals_to_any_process_and_to_all_lose_nothing(self):
        self.until_hit(self.soak_fake, 3, 20)
        self.assertGreater(self.sum["sessions"], self.sum["rounds"], self.told())

    @unittest.skipUnless(soak.TRAINER, "built without LibTorch")
    def test_the_bits_of_real_training_stay(self):
        self.until_hit(self.soak_real, 1, 6)


if __name__ == "__main__":
    unittest.main()
