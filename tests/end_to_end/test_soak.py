"""A few rounds of scripts/soak, whose hits are counted."""

import os
import random
import unittest

import soak


class ShortSoak(soak.Soak):
    def test_signals_to_any_process_and_to_all_lose_nothing(self):
        first = random.Random(os.urandom(4)).randrange(1, 10**6)
        rounds = 0
        while rounds < 3 or (self.hits.total() < 20 and rounds < 20):
            self.soak_fake(first + rounds, 1)
            rounds += 1
        self.assertEqual(self.sum["rounds"], rounds)
        self.assertGreaterEqual(self.hits.total(), 20, self.told())
        self.assertGreater(self.sum["sessions"], rounds, self.told())

    @unittest.skipUnless(soak.TRAINER, "built without LibTorch")
    def test_the_bits_of_real_training_stay(self):
        first = random.Random(os.urandom(4)).randrange(1, 10**6)
        rounds = 0
        while rounds < 1 or (self.hits.total() < 6 and rounds < 10):
            self.soak_real(first + rounds, 1)
            rounds += 1
        self.assertGreaterEqual(self.hits.total(), 6, self.told())


if __name__ == "__main__":
    unittest.main()
